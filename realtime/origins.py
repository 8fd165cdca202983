"""May a page of this origin open a socket here?

A browser sends cookies along with a WebSocket handshake to any site, and no same-origin policy stops
it: the server has to look at ``Origin`` itself (RFC 6455, 10.2). A browser always sends the header and
a page cannot forge it. Programs need not send one and carry a token instead, so its absence is only
refused where a cookie is what lets the peer in.

Origins are compared as RFC 6454 says: scheme, host and port, ignoring case, where a missing port is the
scheme's own. This module is pure.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

__all__ = ["origin_allowed"]

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_HOST: Final = r"(?P<host>[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
_ORIGIN: Final = rf"(?P<scheme>[a-z][a-z0-9+.-]*)://{_HOST}"
_host_header: Final = re.compile(_HOST, re.IGNORECASE | re.ASCII).fullmatch
_origin_header: Final = re.compile(_ORIGIN, re.IGNORECASE | re.ASCII).fullmatch


class _Origin(NamedTuple):
    scheme: str
    host: str
    port: int | None


def origin_allowed(
    origin: bytes | str | None,
    host: bytes | str | None,
    *,
    allowed: Sequence[str],
    required: bool,
) -> bool:
    """Whether a handshake with this ``Origin`` header at this ``Host`` header may go on.

    Args:
        origin: the header's value, None when it was not sent.
        host: likewise. The request must have passed the check against ``ALLOWED_HOSTS`` already.
        allowed: origins of other sites, such as ``https://shop.example``; ``*`` allows any.
        required: a cookie lets the peer in, so a missing origin is refused.

    ``null`` (a sandboxed frame, a local file: anyone's page) and what is no origin are refused even
    where any origin is allowed. Our own pages are those at the same host and port over HTTP or HTTPS;
    the scheme itself is not compared, for behind a proxy that ends TLS it is not known.
    """
    if origin is None:
        return not required
    theirs = _parse_origin(_text(origin))
    if theirs is None:
        return False
    return _is_own(theirs, _text(host or "")) or any(
        entry == "*" or _parse_origin(entry) == theirs for entry in allowed
    )


def _is_own(origin: _Origin, host_header: str) -> bool:
    match = _host_header(host_header)
    if match is None or origin.scheme not in _DEFAULT_PORTS:
        return False
    port = int(match["port"]) if match["port"] else _DEFAULT_PORTS[origin.scheme]
    return (origin.host, origin.port) == (match["host"].lower(), port)


def _parse_origin(text: str) -> _Origin | None:
    match = _origin_header(text)
    if match is None:
        return None
    scheme = match["scheme"].lower()
    port = int(match["port"]) if match["port"] else _DEFAULT_PORTS.get(scheme)
    return _Origin(scheme, match["host"].lower(), port)


def _text(header: bytes | str) -> str:
    """A header as text. Latin-1 maps every byte to a character, so that none can raise."""
    return header.decode("latin-1") if isinstance(header, bytes) else header
