"""The notifications' WebSocket protocol for the AsyncAPI document: what no struct can say.

`realtime.asyncapi` makes the document of this and of the structs. Protocol: docs/protocols/notifications.md.
"""

from typing import Any

import msgspec

from notifications.protocol.messages import (
    MAX_FRAME_BYTES,
    MAX_IN_FLIGHT,
    Authentication,
    CountQuery,
    ListQuery,
    Notification,
    Request,
    Response,
    Subscription,
    Update,
)
from realtime.asyncapi import Channel, Schema, ServiceChannels
from realtime.close_codes import CloseCode

_COMMANDS = {
    Authentication: "authentication",
    ListQuery: "getMyNotifications",
    CountQuery: "getMyNotificationsCount",
    Update: "updateNotifications",
    Subscription: "subscription",
}
_SUBSCRIPTION_ID = "d1f1b9f7a2f34f6b8ab4ef7f5bd0a0c1"
_NOTIFICATION = {
    "id": "912061498870726657",
    "type": "news",
    "title": "Hello",
    "body": "",
    "data": {"order": 5},
    "status": "unseen",
    "createdAt": "2026-11-21T20:15:00.250Z",
}


def wire(struct: type[msgspec.Struct], payload: Schema) -> Schema:
    """The schema of a whole message: the request or the response that the codec puts around a struct."""
    if struct in _COMMANDS:
        return {
            "type": "object",
            "properties": {
                "rid": {"type": "integer", "minimum": 1},
                "command": {"const": _COMMANDS[struct]},
                "options": payload,
            },
            "required": ["rid", "command", "options"],
        }
    if struct is Notification:
        return {
            "type": "object",
            "properties": {
                "rid": {"const": -1},
                "event": {"type": "string"},
                "status": {"const": "update"},
                "payload": payload,
            },
            "required": ["rid", "event", "status", "payload"],
        }
    return payload


def _request(command: str, /, **options: Any) -> dict[str, Any]:
    return {"rid": 1, "command": command, "options": options}


channels = ServiceChannels(
    label="notifications",
    channels=(
        Channel(
            name="connect",
            address="/notifications/",
            title="Notifications",
            summary="Lists and counts of one's notifications, and what is new in them from then on.",
            description=(
                "The same is at `/web` and `/mobile`. Requests run at the same time, at most "
                f"{MAX_IN_FLIGHT}; answers come in any order, with the request's `rid`. What nobody asked "
                "for just now has the `rid` -1 and the id of its subscription as `event`. A request may be "
                "any command that another service was configured to answer.\n\n"
                f"A frame has at most {MAX_FRAME_BYTES} bytes; what is no request is answered with an error "
                "and the connection goes on."
            ),
            client_messages=(Authentication, ListQuery, CountQuery, Update, Subscription, Request),
            server_messages=(Response, Notification),
            wire=wire,
            examples={
                "Authentication": (_request("authentication", authToken="3f1c…"),),
                "ListQuery": (
                    _request("getMyNotifications", where={"types": ["news"]}, params={"limit": 20}),
                ),
                "CountQuery": (_request("getMyNotificationsCount", where={"types": []}, status="unread"),),
                "Update": (
                    _request(
                        "updateNotifications",
                        where={"notifications": [_NOTIFICATION["id"]]},
                        status="read",
                    ),
                ),
                "Subscription": (_request("subscription", ids=[_SUBSCRIPTION_ID], action="unsubscribe"),),
                "Request": (_request("getTournament", id=5),),
                "Response": (
                    {"rid": 1, "event": _SUBSCRIPTION_ID, "status": "ok", "payload": [_NOTIFICATION]},
                    {
                        "rid": 1,
                        "event": "getMyNotificationsCount",
                        "status": "error",
                        "payload": {
                            "error": [
                                {"slug": "required", "message": "This is missing.", "path": "options.status"}
                            ],
                            "message": "This is missing.",
                        },
                    },
                ),
                "Notification": (
                    {
                        "rid": -1,
                        "event": _SUBSCRIPTION_ID,
                        "status": "update",
                        "payload": _NOTIFICATION,
                    },
                ),
            },
            close_codes=(
                CloseCode.POLICY_VIOLATION,
                CloseCode.MESSAGE_TOO_BIG,
                CloseCode.INTERNAL_ERROR,
                CloseCode.SERVICE_RESTART,
                CloseCode.UNAUTHORIZED,
                CloseCode.PING_TIMEOUT,
                CloseCode.SLOW_CLIENT,
            ),
        ),
    ),
)
