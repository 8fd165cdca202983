"""One server on SQLite that reads Kafka itself: what is sent is stored and told, over any outage."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError

from notifications.services.kafka.connection import last_words, new_consumer
from tests.e2e.conftest import StartServer
from tests.e2e.listener import eventually
from tests.e2e.servers import Seed, Server
from tests.integration.gateway_people import register
from tests.kafka.brokers import Kafka
from tests.kafka.feeding import Feeder
from tests.kafka.mock import KafkaMock
from tests.kafka.node import PASSWORD, USERNAME, KafkaNode
from tests.kafka.reader import Processes, inbox, sqlite_query


def database_of(server: Server) -> Path:
    return server.log_path.parent / "data" / "foyer.sqlite3"


def events(server: Server) -> list[str]:
    """What the log says of Kafka, in order."""
    return [line["event"] for line in server.log_lines() if line["event"].startswith("kafka.")]


async def test_what_is_sent_is_stored_and_pushed(kafka: Kafka, start_embedded: StartServer) -> None:
    topic = kafka.new_name()
    # The topic comes into being when the server runs.
    server = await asyncio.to_thread(start_embedded, kafka.env(topic))
    query = sqlite_query(database_of(server))
    ann = await register(server, "ann")
    kafka.make_topic(topic, partitions=1)
    feeder = Feeder(kafka.address, topic)
    async with inbox(server, ann.token) as client:
        title = feeder.tell(ann.id, "somebody else")
        feeder.flush()
        (push,) = await client.hear()
        assert (push["event"], push["status"]) == (client.subscription, "update")
        assert (push["payload"]["title"], push["payload"]["status"]) == (title, "unseen")
        feeder.babble()
        feeder.say_null()
        feeder.update(client.subscription, data={"score": "1:0"})
        feeder.flush()
        (push,) = await client.hear()
        assert push["payload"] == {"score": "1:0"}
        if not kafka.is_mock:
            kafka.add_partitions(topic, 2)
        titles = []
        for compression in ("gzip", "snappy", "lz4", "zstd"):
            feeder.begin_anew(compression)
            titles.append(feeder.tell(ann.id, partition=0 if kafka.is_mock else 1))
        feeder.flush()
        await client.hear(4)
        assert client.titles[2:] == titles
    await eventually(lambda: feeder.is_stored(query), what="everything in the database")
    feeder.assert_stored_once(query)
    assert query("select distinct reason from notifications_deadletter") == [("The text is not valid JSON.",)]
    assert server.metric("foyer_kafka_messages_total", outcome="buried") == 2
    await eventually(lambda: server.metric("foyer_kafka_lag") == 0, what="an end of what waits")


@pytest.mark.parametrize("kafka", ["mock"], indirect=True)
async def test_a_server_that_stops_in_the_middle(
    kafka: Kafka, seed: Seed, tmp_path: Path, processes: Processes
) -> None:
    topic = kafka.topic()
    feeder = Feeder(kafka.address, topic)
    feeder.feed(1_000, ["1", "2"])
    seed.copy_to(tmp_path / "data")
    env = {"DATA_DIR": str(tmp_path / "data"), **kafka.env(topic)}
    query = sqlite_query(tmp_path / "data" / "foyer.sqlite3")
    first = processes.serve(env)
    await eventually(lambda: feeder.stored(query) > 50, what="a beginning")
    await asyncio.to_thread(first.stop)
    assert not feeder.is_stored(query), "it was too quick to be stopped in the middle"
    second = processes.serve(env)
    await eventually(lambda: feeder.is_stored(query), within_s=30, what="everything in the database")
    feeder.assert_stored_once(query)
    # It left the group, and had committed what it stored: the second begins at once, where it was.
    assert second.metric("foyer_kafka_messages_total", outcome="known") == 0


async def test_a_broker_that_is_away(seed: Seed, tmp_path: Path, processes: Processes) -> None:
    with KafkaMock() as mock:
        mock.down()
        kafka = Kafka(mock.address, is_mock=True)
        topic = kafka.topic()
        seed.copy_to(tmp_path / "data")
        server = processes.serve({"DATA_DIR": str(tmp_path / "data"), **kafka.env(topic)})
        server.expected_errors |= {"kafka.down"}

        async def kafka_is(state: str) -> None:
            await eventually(lambda: server.readiness().get("kafka") == state, within_s=15, what=state)

        await kafka_is("down")
        assert server.get("/readyz").status_code == 200, "everything else works"
        query = sqlite_query(tmp_path / "data" / "foyer.sqlite3")
        mock.up()
        await kafka_is("ok")
        feeder = Feeder(mock.address, topic)
        feeder.feed(20, ["1"])
        await eventually(lambda: feeder.is_stored(query), what="what came after the first outage")
        mock.down()
        await kafka_is("down")
        mock.up()
        feeder.feed(20, ["1"])
        await kafka_is("ok")
        await eventually(lambda: feeder.is_stored(query), what="what came after the second")
        feeder.assert_stored_once(query)
        mock.down()
        await kafka_is("down")
        # It leaves in time, though nobody can be told.
        await asyncio.to_thread(server.stop)
    # Each time once, however often it tried.
    said = [event for event in events(server) if event in ("kafka.up", "kafka.down")]
    assert said == ["kafka.down", "kafka.up"] * 2 + ["kafka.down"]


@pytest.mark.kafka
async def test_a_secured_cluster(kafka_node: KafkaNode, start_embedded: StartServer, settings) -> None:
    kafka = Kafka(kafka_node.address)
    topic = kafka.topic()
    env = {
        **kafka.env(topic),
        "KAFKA_BROKERS": kafka_node.secure_address,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_SASL_USERNAME": USERNAME,
        "KAFKA_SASL_PASSWORD": PASSWORD,
        "KAFKA_CA_FILE": str(kafka_node.ca_file),
    }
    server = await asyncio.to_thread(start_embedded, env)
    feeder = Feeder(kafka.address, topic)
    feeder.feed(5, ["1"])
    query = sqlite_query(database_of(server))
    await eventually(lambda: feeder.is_stored(query), what="everything in the database")
    assert PASSWORD not in server.log

    for name, value in env.items():
        setattr(settings, name, value)
    settings.KAFKA_SASL_PASSWORD = "a guess"
    stranger = new_consumer()
    with pytest.raises(KafkaConnectionError):
        await stranger.start()
    await stranger.stop()
    # The operator is told why, and nobody what was tried.
    assert "invalid credentials" in last_words()
    assert "a guess" not in last_words()
