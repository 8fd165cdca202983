"""What is counted and how it is shown, in one process and in several."""

import os
import subprocess
import sys
from pathlib import Path

from django.test import Client
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from config import BASE_DIR
from realtime import metrics

CHILD = """
import os, sys
from realtime import metrics
metrics.CONNECTIONS.labels(app="broadcast").set(int(sys.argv[1]))
metrics.MESSAGES_IN.labels(app="broadcast").inc(int(sys.argv[1]))
print(os.getpid())
"""


def scraped(client: Client, **headers: str) -> dict[str, float]:
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(response.content.decode())
    return {
        f"{sample.name}{sorted(sample.labels.values())}": sample.value
        for f in families
        for sample in f.samples
    }


def test_the_page_shows_what_was_counted(client: Client) -> None:
    metrics.MESSAGES_OUT.labels(app="test").inc(5)
    metrics.ERRORS.labels(app="test", code="MALFORMED").inc()
    shown = scraped(client)
    assert shown["foyer_messages_out_total['test']"] == 5
    assert shown["foyer_errors_total['MALFORMED', 'test']"] == 1


def test_every_number_has_a_name_of_ours_and_an_explanation() -> None:
    ours = [family for family in REGISTRY.collect() if family.name.startswith("foyer_")]
    services = ("foyer_queue_", "foyer_gateway_", "foyer_kafka_")
    of_the_core = {family.name for family in ours if not family.name.startswith(services)}
    assert of_the_core == {
        "foyer_connections",
        "foyer_messages_in",
        "foyer_messages_out",
        "foyer_fanout_seconds",
        "foyer_slow_clients_closed",
        "foyer_errors",
        "foyer_bus_messages",
    }
    assert all(family.documentation for family in ours)


def test_with_a_token_set_nobody_reads_without_it(client: Client, settings) -> None:
    settings.METRICS_TOKEN = "a-long-token"
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/metrics", headers={"authorization": "Bearer grün"}).status_code == 401
    assert scraped(client, authorization="Bearer a-long-token")


def test_only_reading_is_allowed(client: Client) -> None:
    assert client.post("/metrics").status_code == 405


def in_a_process(folder: Path, number: int) -> int:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    environment["DJANGO_SETTINGS_MODULE"] = "config.settings"
    result = subprocess.run(
        [sys.executable, "-c", CHILD, str(number)],
        cwd=BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(result.stdout)


def test_several_processes_are_added_up_and_a_gone_one_holds_no_connections(
    client: Client, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    first, _second = in_a_process(tmp_path, 3), in_a_process(tmp_path, 4)
    assert scraped(client)["foyer_connections['broadcast']"] == 7
    metrics.forget_process(first)
    shown = scraped(client)
    assert shown["foyer_connections['broadcast']"] == 4
    assert shown["foyer_messages_in_total['broadcast']"] == 7


def test_forgetting_a_process_needs_no_second_one(monkeypatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    metrics.forget_process(1)
