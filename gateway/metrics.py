"""What the gateway counts besides connections. ``docs/operations.md`` lists it."""

from prometheus_client import Counter

POSTS = Counter("foyer_gateway_posts", "Messages posted.")
REPLAYS = Counter("foyer_gateway_replays", "Reconnects that asked for what they missed.", ["outcome"])
