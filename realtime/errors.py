"""The errors of the server, told apart by whose fault they are.

::

    FoyerError
    ├── ProtocolViolation   the peer's fault: it sent what its protocol does not allow
    ├── Refused             nobody's fault: a well-formed request that a rule says no to
    └── InternalError       our fault: a bug, or something under us is broken

Whose fault it is decides what happens. A violation or a refusal is answered in the words of the
protocol and counted, never logged above INFO: a hostile client must not fill the log. An internal
error is logged with its traceback, and the peer only learns that there was one.

Each carries a `code` for machines, which is part of the published protocol, and a `message` for
people. The message is our own text and never quotes what the peer sent, so it can go into a frame,
a page or a log line as it is.

This module is pure: nothing here knows of Django, Channels or asyncio.
"""

__all__ = ["FoyerError", "InternalError", "ProtocolViolation", "Refused"]


class FoyerError(Exception):
    """What every error of ours derives from. Raise one of the three below, never this.

    Attributes:
        code: upper-case word a client may branch on, such as ``MALFORMED``.
        message: one sentence a person can act on.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class ProtocolViolation(FoyerError):  # noqa: N818 (it is the peer's, not an error of ours)
    """The peer sent something its protocol does not allow. Decoders raise this and nothing else."""


class Refused(FoyerError):  # noqa: N818 (an answer, not an error)
    """The request was understood and a rule says no: not permitted, full, taken, too late."""


class InternalError(FoyerError):
    """We broke a promise. The peer is told that something failed, the log is told what."""

    def __init__(self, message: str, code: str = "INTERNAL") -> None:
        super().__init__(code, message)
