"""What the views under ``/api/ticketing/`` have in common: callers, and how a refusal is answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rest_framework.authentication import BaseAuthentication, SessionAuthentication

from realtime.apikeys import ApiKeyAuthentication
from realtime.errors import Refused
from realtime.http_access import GuardedView
from realtime.http_errors import HttpError
from ticketing.api.access import TOKEN_CHALLENGE, StaffTokenAuthentication

# What the request's own content is to blame for; everything else a service refuses is the desk's state.
_FIELD_AT_FAULT: Final = {"EMAIL_INVALID": "email", "NAME_MISSING": "name", "NAME_TOO_LONG": "name"}

MAX_ID = 10**18 - 1
"""Of ids in addresses and queries: as many digits as the protocol takes, and within what databases hold."""


class DeskView(GuardedView):
    """Takes staff tokens as well, and says which field a refusal is about."""

    authentication_classes: Sequence[type[BaseAuthentication]] = (
        ApiKeyAuthentication,
        StaffTokenAuthentication,
        SessionAuthentication,
    )
    statuses = {"UNKNOWN_TICKET": 404, "DAYS_INVALID": 400, "TOKEN_INVALID": 401} | dict.fromkeys(
        _FIELD_AT_FAULT, 400
    )

    def refusal(self, refused: Refused) -> HttpError:
        answer = super().refusal(refused)
        if field := _FIELD_AT_FAULT.get(refused.code):
            answer.details["fields"] = {field: refused.message}
        if answer.status == 401:
            answer.headers = [(b"www-authenticate", TOKEN_CHALLENGE.encode())]
        return answer
