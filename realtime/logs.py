"""Logging: one configuration for structlog and the standard library, so that a line looks the same
whoever wrote it.

Core, below everything else: settings import this module, so it imports no Django. Operators read
about the lines in ``docs/operations.md``.

Three promises are kept here, for every line of every library:

* a secret never reaches a log: values named like one are replaced, in fields and in URLs;
* what a client sent cannot forge or garble a line: control characters are shown, not obeyed, and
  long text is cut;
* what a client sent raises nothing above WARNING: an ERROR is always ours to look into.
"""

import logging
import logging.config
import re
import sys
from functools import lru_cache
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

LogFormat = Literal["console", "json"]

MAX_VALUE_CHARS = 2_000
"""A field longer than this is cut: enough for any message of ours, too little to fill a disk with."""

REDACTED = "[redacted]"

_SECRET_WORDS = "token|key|jwt|presence|secret|password|passwd|cookie|authorization|sessionid|csrftoken"
# "access_token" and "kioskToken" are secrets, "keyboard" and "monkey" are not: the word ends the
# name, and begins it or follows a separator or a change of case.
_SECRET_NAME = re.compile(rf"(?:^|[_\-.])(?:{_SECRET_WORDS})$", re.IGNORECASE)
_SECRET_CAMEL_NAME = re.compile(r"[a-z](?:Token|Key|Jwt|Secret|Password)$")
# Every `name=value` of a query string or a connection string. The value ends where the next parameter
# or white space begins. Possessive and anchored, so that no text makes it slow.
_PARAMETER = re.compile(r"(?<![\w.\-])([\w.\-]++)=([^&\s#;]+)")
_BEARER = re.compile(r"\b(Bearer|Token|Api-Key|Basic)\s+[A-Za-z0-9._~+/=\-]{8,}", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(?P<head>\b[a-z][a-z0-9+.\-]*://[^/\s:@]*):[^/\s@]+@", re.IGNORECASE)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A structured logger: ``log.info("connection.opened", app="broadcast")``. Thread-safe.

    An event's name is constant, ``<subject>.<what_happened>``; whatever varies goes into fields.
    """
    return structlog.stdlib.get_logger(name)


def redact(text: str) -> str:
    """`text` with the values of secrets in URLs, query strings and header values replaced."""
    # Every line passes here, and nearly all of them have nothing in which a secret could be.
    if "=" in text:
        text = _PARAMETER.sub(lambda m: f"{m[1]}={REDACTED}" if is_secret_name(m[1]) else m[0], text)
    if not text.isprintable() or " " in text:  # there is white space, of whichever kind
        text = _BEARER.sub(rf"\1 {REDACTED}", text)
    if "@" in text:
        text = _URL_PASSWORD.sub(rf"\g<head>:{REDACTED}@", text)
    return text


def escape_control_characters(text: str) -> str:
    r"""`text` on one line, with what cannot be printed written out: a newline becomes ``\n``.

    Also written out are marks that reorder text, and halves of surrogate pairs, which no encoding takes.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Is a field or parameter of this name never to be written?"""
    return bool(_SECRET_NAME.search(name) or _SECRET_CAMEL_NAME.search(name))


def clean_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """structlog processor: make every value of a line safe to print. Runs last before rendering."""
    for name, value in event.items():
        if name == "exception":
            event[name] = _clean_traceback(str(value))
        elif not name.startswith("_"):
            event[name] = REDACTED if is_secret_name(name) else _clean(value)
    return event


def _clean(value: object) -> object:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = value if isinstance(value, str) else repr(value)
    if len(text) > MAX_VALUE_CHARS:
        text = f"{text[:MAX_VALUE_CHARS]}… ({len(text)} characters)"
    return escape_control_characters(redact(text))


def _clean_traceback(text: str) -> str:
    """A traceback keeps its lines, but each is indented, so that none can pose as a log line."""
    return "\n".join(f"    {_clean(line)}" for line in text.split("\n"))


class CurrentStderrHandler(logging.StreamHandler[TextIO]):
    """Writes to what ``sys.stderr`` is when a line is written, not to what it was at start."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


class CapClientErrors(logging.Filter):
    """Lower to WARNING what a library logs as an error although a client caused it.

    Django does so for a wrong Host header and for suspicious requests: anyone can send one. Each has
    a logger of its own under ``django.security``, so this sits on the handler, not on a logger.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno > logging.WARNING and record.name.startswith("django.security"):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


class DropConnectionLines(logging.Filter):
    """Drop uvicorn's lines about single WebSocket connections.

    The base consumer writes one line for an opened and one for a closed connection, with the
    service and the reason; uvicorn's print the whole query string and say less.
    """

    _DROPPED = ("connection open", "connection closed", "connection rejected")

    def filter(self, record: logging.LogRecord) -> bool:
        message = str(record.msg)
        return '"WebSocket %s"' not in message and not message.startswith(self._DROPPED)


_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def _renderer(log_format: LogFormat) -> structlog.typing.Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer(sort_keys=False)
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=32
    )


def logging_config(*, log_format: LogFormat, level: str) -> None:
    """Configure structlog and the standard library. Called once, when settings are read.

    Everything goes to standard error. Loggers that exist already stay enabled (uvicorn's error log
    does, for one).

    Args:
        log_format: ``console`` for people, ``json`` for machines: one object a line.
        level: the lowest level written, such as ``INFO``.
    Raises:
        ValueError: an unknown format or level.
    """
    if log_format not in ("console", "json"):
        raise ValueError(f"LOG_FORMAT must be 'console' or 'json', not {log_format!r}")
    if level not in logging.getLevelNamesMapping():
        raise ValueError(
            f"LOG_LEVEL must be one of {', '.join(logging.getLevelNamesMapping())}, not {level!r}"
        )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {
                "cap": {"()": CapClientErrors},
                "drop_connection_lines": {"()": DropConnectionLines},
            },
            "formatters": {
                "structured": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": [*_SHARED, structlog.stdlib.ExtraAdder(allow=["status_code"])],
                    "processors": [
                        structlog.processors.format_exc_info,
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        clean_event,
                        _renderer(log_format),
                    ],
                }
            },
            "handlers": {
                "stderr": {
                    "()": CurrentStderrHandler,
                    "formatter": "structured",
                    "filters": ["cap"],
                }
            },
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                # A line a request, and its query string: metrics count requests, the proxy logs them.
                "uvicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
                "uvicorn": {"handlers": [], "level": "NOTSET", "propagate": True},
                "uvicorn.error": {"handlers": [], "propagate": True, "filters": ["drop_connection_lines"]},
                # Libraries that tell at INFO what only their authors want to know.
                "daphne": {"level": "WARNING"},
                # It logs a traceback for each second of an outage. The bus says once that it is down.
                "channels_redis": {"level": "CRITICAL"},
                "axes": {"level": "WARNING"},
                "asyncio": {"level": "WARNING"},
            },
        }
    )
