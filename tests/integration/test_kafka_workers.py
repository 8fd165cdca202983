"""Workers beside the servers share a topic; whatever becomes of them, each message is stored once."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.e2e.listener import eventually
from tests.e2e.servers import Server, wait_all_ready
from tests.integration.conftest import Cluster
from tests.integration.gateway_people import register
from tests.kafka.brokers import REAL, Kafka
from tests.kafka.feeding import Feeder
from tests.kafka.reader import Processes, inbox

pytestmark = [pytest.mark.redis, pytest.mark.postgres]

# Of each of two workers. The mock takes long to notice that one is gone.
KILLS = 12
KILLS_ON_THE_MOCK = 2
DATABASE_AWAY = {"api.database_failed", "broadcast.database_failed", "runtime.periodic_work_failed"}


def sent_by(worker: Server) -> float:
    return worker.metric("foyer_kafka_messages_total", outcome="sent")


# The mock confuses the members of a group when several come and go; they start over, and it takes long.
@pytest.mark.parametrize("kafka", [REAL], indirect=True)
async def test_workers_share_the_topic(kafka: Kafka, cluster: Cluster, processes: Processes) -> None:
    topic = kafka.topic()
    env = {**cluster.env, **kafka.env(topic)}
    feeder = Feeder(kafka.address, topic)
    first, second = processes.consume(env), processes.consume(env)
    await asyncio.to_thread(wait_all_ready, [first, second])
    # Servers that read no Kafka know how those fare that do.
    assert cluster.servers[0].readiness()["kafka"] == "ok"
    assert first.get("/admin/").status_code == 404

    async def all_stored() -> None:
        stored = lambda: feeder.is_stored(cluster.query)  # noqa: E731
        await eventually(stored, within_s=30, what="everything in the database")

    feeder.feed(200, ["1", "2"])
    await all_stored()
    assert min(sent_by(first), sent_by(second)) > 0
    feeder.feed(400, ["1", "2"])
    first.send_signal(signal.SIGTERM)
    feeder.feed(200, ["1", "2"])
    assert await asyncio.to_thread(first.wait, 15) == 0
    third = processes.consume(env)
    await asyncio.to_thread(third.wait_ready)
    feeder.feed(200, ["1", "2"])
    await all_stored()
    second.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(second.wait, 15) == 0
    feeder.feed(100, ["1", "2"])
    await all_stored()
    feeder.assert_stored_once(cluster.query)
    # Whoever gave partitions away had committed what it stored of them.
    assert third.metric("foyer_kafka_messages_total", outcome="known") == 0


async def test_workers_that_are_killed_anywhere(kafka: Kafka, cluster: Cluster, processes: Processes) -> None:
    server = cluster.servers[0]
    ann = await register(server, f"ann.of.{kafka.new_name()}")
    topic = kafka.topic()
    env = {**cluster.env, **kafka.env(topic)}
    feeder = Feeder(kafka.address, topic)
    kills = KILLS_ON_THE_MOCK if kafka.is_mock else KILLS
    doomed = [processes.doomed(env, kills=kills, seed=seed) for seed in (1, 2)]
    for worker in doomed:
        # Once in a while the mock takes one for another, and is asked anew.
        worker.expected_errors |= {"left alone", "kafka.down"} if kafka.is_mock else {"left alone"}

    async def survived() -> bool:
        # There is always something to die of, and in the end not much is left.
        if feeder.waiting(cluster.query) < 100:
            feeder.feed(30, [ann.id, "somebody else"])
        return all("left alone" in worker.log for worker in doomed)

    async with inbox(server, ann.token) as client:
        await eventually(survived, within_s=90, what="the end of the killing")
        stored = lambda: feeder.is_stored(cluster.query)  # noqa: E731
        await eventually(stored, within_s=60, what="everything in the database")
        feeder.assert_stored_once(cluster.query)
        # The servers hear of everything, too, however little the killed could tell.
        await client.hear(sum(user == ann.id for _, user in feeder.sent))
        assert sorted(client.titles) == sorted(title for title, user in feeder.sent if user == ann.id)


@pytest.mark.parametrize("kafka", ["mock"], indirect=True)
async def test_a_database_that_is_away(kafka: Kafka, cluster: Cluster, processes: Processes) -> None:
    topic = kafka.topic()
    feeder = Feeder(kafka.address, topic)
    worker = processes.consume({**cluster.env, **kafka.env(topic)})
    await asyncio.to_thread(worker.wait_ready)
    for server in [*cluster.servers, worker]:
        server.expected_errors |= DATABASE_AWAY
    cluster.postgres.stop(signal.SIGQUIT)
    feeder.feed(100, ["1"])
    # The pool of connections has patience of its own.
    await eventually(lambda: "kafka.database_away" in worker.log, within_s=30, what="a line in the log")
    cluster.postgres.start()
    await eventually(lambda: feeder.is_stored(cluster.query), within_s=30, what="everything in the database")
    feeder.assert_stored_once(cluster.query)
    said = [line["event"] for line in worker.log_lines() if "database_" in line["event"]]
    assert said == ["kafka.database_away", "kafka.database_back"]
    for server in cluster.servers:
        await asyncio.to_thread(server.wait_ready)
