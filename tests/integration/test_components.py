"""The private servers that other tests rely on."""

import signal

import psycopg
import pytest
import redis

from tests.components import PostgresServer, RedisServer, StartError, free_port


@pytest.mark.redis
def test_redis_starts_stops_and_starts_on_the_same_port() -> None:
    with RedisServer() as server:
        port = server.port
        with redis.Redis.from_url(server.url) as client:
            assert client.ping()
        server.stop(signal.SIGKILL)
        with redis.Redis.from_url(server.url) as client, pytest.raises(redis.ConnectionError):
            client.ping()
        server.start()
        assert server.port == port
        with redis.Redis.from_url(server.url) as client:
            assert client.ping()


@pytest.mark.redis
def test_a_taken_port_is_reported_with_what_the_server_said() -> None:
    with RedisServer() as server, RedisServer() as other:
        other.stop()
        other.port = server.port
        with pytest.raises(StartError, match="in use"):
            other.start()


@pytest.mark.postgres
def test_postgres_keeps_committed_rows_over_a_crash(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (value int)")
        connection.execute("INSERT INTO kept VALUES (7)")
    postgres_server.stop(signal.SIGQUIT)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    postgres_server.start()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT value FROM kept").fetchall() == [(7,)]


@pytest.mark.postgres
def test_each_database_is_empty_and_of_its_own(postgres_server: PostgresServer) -> None:
    first, second = postgres_server.create_database(), postgres_server.create_database()
    assert first != second
    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE only_here (value int)")
    with psycopg.connect(second) as connection, pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute("SELECT * FROM only_here")


def test_a_free_port_is_free() -> None:
    assert 1024 <= free_port() <= 65535
