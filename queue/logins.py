"""A login as it goes to the main server, and the two ways in which it can fail.

Below `main_server` and `identity`, which both speak of logins. Knows nothing of HTTP, Django or an event
loop. The page is ``docs/protocols/queue.md``.
"""

from dataclasses import dataclass, field
from typing import Final

from queue.protocol.messages import LoginType
from realtime.errors import Refused

__all__ = ["Login", "LoginRefused", "printable"]

# A sentence or two: it is shown to whoever wanted to log in.
MAX_MESSAGE_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Login:
    """Who wants to log in, and with what.

    `client_id` and `platform` come from the handshake, the rest from the Login message: `device_id` and
    `session_id` may be any text. What is secret is not in its ``repr``.
    """

    client_id: str
    platform: str
    type: LoginType
    token: str = field(repr=False)
    device_id: str = ""
    session_id: str = field(default="", repr=False)


class LoginRefused(Refused):
    """The client's login is not accepted, and trying again with the same token will not change that.

    Attributes:
        status_code: as in HTTP, 400..499.
        message: for the client, at most `MAX_MESSAGE_CHARS` printable characters.
    """

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__("LOGIN_REFUSED", printable(message))
        self.status_code = status_code


def printable(text: str) -> str:
    """The printable characters of `text`, cut at `MAX_MESSAGE_CHARS`: fit for a frame, a page, a log line."""
    return "".join(filter(str.isprintable, text[: 4 * MAX_MESSAGE_CHARS]))[:MAX_MESSAGE_CHARS].strip()
