"""What the login queue counts besides connections. ``docs/operations.md`` lists it."""

from prometheus_client import Counter, Gauge

# Every process reads the same line from the database: the newest reading is the truth for all.
WAITING = Gauge("foyer_queue_waiting", "Tickets in line.", multiprocess_mode="mostrecent")
OCCUPIED = Gauge("foyer_queue_occupied", "Places of the main server taken.", multiprocess_mode="mostrecent")
CAPACITY = Gauge("foyer_queue_capacity", "Places of the main server.", multiprocess_mode="mostrecent")
LOGINS = Counter("foyer_queue_logins", "What the main server said to logins, by outcome.", ["outcome"])
