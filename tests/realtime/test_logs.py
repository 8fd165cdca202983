"""What reaches a log: no secret, no forged line, nothing of a client's above WARNING."""

import json
import logging

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from realtime import logs

KEY = "aB3dE6gH.0123456789abcdefABCDEF0123456789"


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest):
    """Log as JSON to the captured standard error; give the lines written so far."""
    logs.logging_config(log_format="json", level="INFO")

    def written() -> list[dict[str, object]]:
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    yield written
    logs.logging_config(log_format=settings.LOG_FORMAT, level=settings.LOG_LEVEL)


def test_a_line_is_one_json_object_with_time_level_and_logger(lines) -> None:
    logs.get_logger("foyer.test").info("connection.opened", app="broadcast", members=3)
    (line,) = lines()
    assert line["event"] == "connection.opened"
    assert line["level"] == "info"
    assert line["logger"] == "foyer.test"
    assert (line["app"], line["members"]) == ("broadcast", 3)
    assert str(line["timestamp"]).endswith("Z")


def test_the_standard_library_writes_the_same_lines(lines) -> None:
    logging.getLogger("some.library").warning("from %s", "elsewhere")
    (line,) = lines()
    assert (line["event"], line["level"], line["logger"]) == ("from elsewhere", "warning", "some.library")


def test_levels_below_the_configured_one_are_not_written(lines) -> None:
    logs.get_logger("foyer.test").debug("quiet")
    logging.getLogger("some.library").debug("quiet")
    assert lines() == []


@pytest.mark.parametrize(
    "text",
    [
        f"GET /news/listen?token={KEY}&since=evt_1",
        f"GET /news/listen?access_token={KEY}",
        f"/x?kioskToken={KEY}",
        f"/x?api_key={KEY}#a",
        f'/x?presence={{"n":"{KEY}"}}',
        f"Authorization: Bearer {KEY}",
        f"authorization=Bearer%20{KEY}",
        f"redis://user:{KEY}@127.0.0.1:6379/0",
        f"postgresql://u:{KEY}@db/foyer",
    ],
)
def test_secrets_in_texts_are_replaced(text: str) -> None:
    redacted = logs.redact(text)
    assert KEY not in redacted
    assert logs.REDACTED in redacted


@pytest.mark.parametrize(
    "text", ["/news/listen?since=evt_1", "monkey=5", "keyboard=de", "https://host:80/a@b", ""]
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert logs.redact(text) == text


@pytest.mark.parametrize(
    "name", ["token", "api_key", "Authorization", "x-api-key", "sessionid", "kioskToken", "jwt"]
)
def test_fields_named_like_secrets_are_replaced(lines, name: str) -> None:
    logs.get_logger("foyer.test").info("something", **{name: KEY})
    (line,) = lines()
    assert line[name] == logs.REDACTED


@pytest.mark.parametrize("name", ["keyboard", "monkey", "tokens_left", "app"])
def test_fields_named_like_nothing_secret_stay(name: str) -> None:
    assert not logs.is_secret_name(name)


@given(st.text())
def test_no_text_can_break_or_garble_its_line(text: str) -> None:
    escaped = logs.escape_control_characters(text)
    assert escaped.isprintable()
    escaped.encode()


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("one\ntwo", "one\\ntwo"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb", "a\\u202eb"),
        ("\ud800", "\\ud800"),
        ("grün ✓", "grün ✓"),
    ],
)
def test_control_characters_are_shown_not_obeyed(text: str, escaped: str) -> None:
    assert logs.escape_control_characters(text) == escaped


def test_long_values_are_cut_and_say_so(lines) -> None:
    logs.get_logger("foyer.test").info("something", text="x" * 100_000)
    (line,) = lines()
    assert len(str(line["text"])) < logs.MAX_VALUE_CHARS + 40
    assert str(line["text"]).endswith("(100000 characters)")


def test_the_names_of_other_objects_are_escaped_too(lines) -> None:
    logs.get_logger("foyer.test").info("something", value=[f"token={KEY}", "a\nb"])
    (line,) = lines()
    assert KEY not in str(line["value"])
    assert "\n" not in str(line["value"])


def test_a_traceback_keeps_its_lines_but_none_can_pose_as_a_log_line(lines) -> None:
    forged = f'nothing\n{{"event": "forged", "level": "info"}} token={KEY}'
    try:
        raise RuntimeError(forged)
    except RuntimeError:
        logs.get_logger("foyer.test").exception("something.failed")
    (line,) = lines()
    traceback = str(line["exception"]).splitlines()
    assert len(traceback) > 3
    assert all(part.startswith("    ") for part in traceback)
    assert KEY not in str(line["exception"])


def test_on_the_console_a_line_is_for_people(capsys: pytest.CaptureFixture[str], lines) -> None:
    logs.logging_config(log_format="console", level="INFO")
    logs.get_logger("foyer.test").info("connection.opened", channel="a\nforged line")
    written = capsys.readouterr().err
    assert "connection.opened" in written
    assert written.count("\n") == 1


def test_what_a_client_caused_is_never_above_warning(lines) -> None:
    logging.getLogger("django.security.DisallowedHost").error("Invalid HTTP_HOST header: %r", "evil")
    logging.getLogger("django.security.SuspiciousFileOperation").critical("…")
    logging.getLogger("django.request").error("our own fault")
    assert [line["level"] for line in lines()] == ["warning", "warning", "error"]


def test_uvicorn_prints_neither_requests_nor_connections(lines) -> None:
    logging.getLogger("uvicorn.access").info('%s - "GET %s"', "1.2.3.4", f"/?token={KEY}")
    error_log = logging.getLogger("uvicorn.error")
    error_log.info('%s - "WebSocket %s" [accepted]', "1.2.3.4", f"/a/listen?token={KEY}")
    error_log.info("connection open")
    error_log.info("connection closed")
    error_log.info("connection rejected (%d %s)", 403, "Forbidden")
    error_log.error("Exception in ASGI application")
    assert [line["event"] for line in lines()] == ["Exception in ASGI application"]


def test_loggers_that_existed_stay_enabled() -> None:
    existing = logging.getLogger("existed.before")
    logs.logging_config(log_format="json", level="INFO")
    assert not existing.disabled


@pytest.mark.parametrize(
    "arguments", [{"log_format": "xml", "level": "INFO"}, {"log_format": "json", "level": "LOUD"}]
)
def test_an_unknown_format_or_level_is_refused(arguments) -> None:
    with pytest.raises(ValueError, match="must be"):
        logs.logging_config(**arguments)
