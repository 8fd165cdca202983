"""Why a command fails, in our words and in the protocol's.

Layer: protocol. Pure: knows nothing of Django, Channels or an event loop.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from ticketing.protocol.messages.answers import Failure


class ErrorCode(StrEnum):
    """Why something was not done. Ours: on the wire there is only the text."""

    TOKEN_INVALID = "TOKEN_INVALID"
    TABLE_UNAVAILABLE = "TABLE_UNAVAILABLE"
    NO_TABLE = "NO_TABLE"
    UNKNOWN_TICKET = "UNKNOWN_TICKET"
    TICKET_ENDED = "TICKET_ENDED"
    TICKET_CLAIMED = "TICKET_CLAIMED"
    NOT_OWNER = "NOT_OWNER"
    EMAIL_INVALID = "EMAIL_INVALID"
    NAME_MISSING = "NAME_MISSING"
    NAME_TOO_LONG = "NAME_TOO_LONG"
    UNKNOWN_VISITOR = "UNKNOWN_VISITOR"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"
    KEY_INVALID = "KEY_INVALID"
    UNKNOWN_COMMAND = "UNKNOWN_COMMAND"
    MISSING_ARGUMENTS = "MISSING_ARGUMENTS"
    TOO_MANY_ARGUMENTS = "TOO_MANY_ARGUMENTS"
    MALFORMED = "MALFORMED"
    TOO_LARGE = "TOO_LARGE"
    RATE_LIMITED = "RATE_LIMITED"
    UNAVAILABLE = "UNAVAILABLE"


# By verb and code. The verb "" stands for every other one; "message" is no command, but the frame itself.
ERROR_TEXTS: Final[Mapping[tuple[str, str], str]] = {
    ("accept", ErrorCode.TOKEN_INVALID): "your session token was found to be invalid. please relogin",
    ("accept", ErrorCode.NO_TABLE): "you do not have a table chosen",
    ("accept", ErrorCode.UNKNOWN_TICKET): "ticket id does not exist",
    ("accept", ErrorCode.TICKET_ENDED): "the ticket has already been completed or cancelled",
    ("accept", ErrorCode.TICKET_CLAIMED): "this ticket is now claimed",
    ("cancel", ErrorCode.NO_TABLE): "you are not assigned to any table",
    ("cancel", ErrorCode.UNKNOWN_TICKET): "ticket id does not exist",
    ("cancel", ErrorCode.TICKET_ENDED): "the ticket has already been completed or cancelled",
    ("cancel", ErrorCode.NOT_OWNER): "you do not own this ticket",
    ("complete", ErrorCode.NO_TABLE): "you are not assigned to any table",
    ("complete", ErrorCode.UNKNOWN_TICKET): "ticket id does not exist",
    ("complete", ErrorCode.TICKET_ENDED): "the ticket has already been completed or cancelled",
    ("complete", ErrorCode.NOT_OWNER): "you do not own this ticket",
    ("pick", ErrorCode.TOKEN_INVALID): "the provided token does not belong to any staff member",
    ("pick", ErrorCode.TABLE_UNAVAILABLE): "the chosen table is not available",
    ("unpick", ErrorCode.NO_TABLE): "you do not have a table assigned",
    ("new", ErrorCode.EMAIL_INVALID): "the email address is not valid",
    ("new", ErrorCode.NAME_MISSING): "the name is missing",
    ("new", ErrorCode.NAME_TOO_LONG): "the name is too long",
    ("query", ErrorCode.UNKNOWN_VISITOR): "visitor email does not exist",
    ("query", ErrorCode.TOO_MANY_REQUESTS): "too many requests",
    ("once", ErrorCode.KEY_INVALID): "the key is not valid",
    ("message", ErrorCode.MALFORMED): "must be text",
    ("message", ErrorCode.TOO_LARGE): "too large",
    ("message", ErrorCode.RATE_LIMITED): "too many messages",
    ("", ErrorCode.UNKNOWN_COMMAND): "unknown command",
    ("", ErrorCode.MISSING_ARGUMENTS): "missing arguments",
    ("", ErrorCode.TOO_MANY_ARGUMENTS): "too many arguments",
    ("", ErrorCode.UNAVAILABLE): "not available now. please try again",
}
# The document prints this one without the verb.
_WITHOUT_VERB: Final = ("pick", ErrorCode.TABLE_UNAVAILABLE)


def failure(verb: str, code: str) -> Failure:
    """The answer to a command that was refused with `code`, an `ErrorCode`.

    Raises:
        KeyError: no such command fails in this way; our own mistake.
    """
    key = (verb, code)
    text = ERROR_TEXTS.get(key) or ERROR_TEXTS["", code]
    return Failure("" if key == _WITHOUT_VERB else verb, text)
