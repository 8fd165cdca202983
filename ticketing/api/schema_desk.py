"""How the views of `tables`, `devices` and `stats` look in the OpenAPI document."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema_view

from realtime.http_openapi import BODY, CALLER
from ticketing.api.answers import (
    DeviceSerializer,
    NewDeviceSerializer,
    StatsSerializer,
    TableSerializer,
)
from ticketing.api.schema import (
    DEVICES,
    TABLE_IN_PATH,
    TABLES,
    answers,
    days,
    id_in_path,
    operation,
)
from ticketing.api.serializers import (
    DeviceChangeSerializer,
    DeviceCreateSerializer,
    TableChangeSerializer,
    TableCreateSerializer,
)
from ticketing.selectors.figures import MAX_DAYS

_TABLE = OpenApiResponse(TableSerializer, "The table as it is now.")

tables = extend_schema_view(
    get=operation(
        "list_tables",
        "List the tables",
        TABLES,
        answers({200: TableSerializer(many=True)}, 400, *CALLER),
        description="By number, each with who is there and what is served.",
    ),
    post=operation(
        "create_table",
        "Make a table",
        TABLES,
        answers({201: _TABLE}, *BODY, *CALLER, 409),
        request=TableCreateSerializer,
        examples=(OpenApiExample("A counter", {"number": 3, "name": "Counter 3"}, request_only=True),),
    ),
)
table = extend_schema_view(
    get=operation(
        "get_table",
        "Read a table",
        TABLES,
        answers({200: _TABLE}, *CALLER, 404),
        parameters=(TABLE_IN_PATH,),
    ),
    patch=operation(
        "change_table",
        "Change a table",
        TABLES,
        answers({200: _TABLE}, *BODY, *CALLER, 404, 409),
        description="Who is at a table that is made inactive leaves it.",
        request=TableChangeSerializer,
        parameters=(TABLE_IN_PATH,),
        examples=(OpenApiExample("Close it", {"is_active": False}, request_only=True),),
    ),
)


def _table_action(name: str, summary: str, description: str) -> Any:
    return extend_schema_view(
        post=operation(
            f"{name}_table",
            summary,
            TABLES,
            answers({200: _TABLE}, *CALLER, 404, 409),
            description=description,
            parameters=(TABLE_IN_PATH,),
        )
    )


_WHO = "Staff do it to the table they have picked; who manages, to any."
pause = _table_action("pause", "Pause a table", f"Displays show it as not in use. {_WHO}")
resume = _table_action("resume", "End a pause", f"So does calling a ticket. {_WHO}")
free = _table_action("free", "Free a table", "Whoever is there leaves it. Tickets stay with them.")

_DEVICE_ID = id_in_path("device_id", "The device's id.")
_NEW_DEVICE = OpenApiResponse(NewDeviceSerializer, "With the token, which cannot be shown again.")

devices = extend_schema_view(
    get=operation(
        "list_devices",
        "List kiosks and displays",
        DEVICES,
        answers({200: DeviceSerializer(many=True)}, 400, *CALLER),
    ),
    post=operation(
        "create_device",
        "Make a kiosk or a display",
        DEVICES,
        answers({201: _NEW_DEVICE}, *BODY, *CALLER, 409),
        request=DeviceCreateSerializer,
        examples=(
            OpenApiExample(
                "A kiosk with a series of its own",
                {"kind": "kiosk", "name": "Entrance", "prefix": "B"},
                request_only=True,
            ),
        ),
    ),
)
device = extend_schema_view(
    get=operation(
        "get_device",
        "Read a device",
        DEVICES,
        answers({200: DeviceSerializer}, *CALLER, 404),
        parameters=(_DEVICE_ID,),
    ),
    patch=operation(
        "change_device",
        "Change a device",
        DEVICES,
        answers({200: DeviceSerializer}, *BODY, *CALLER, 404, 409),
        description="What it is, kiosk or display, cannot be changed.",
        request=DeviceChangeSerializer,
        parameters=(_DEVICE_ID,),
        examples=(OpenApiExample("Keep it out", {"is_active": False}, request_only=True),),
    ),
    delete=operation(
        "delete_device",
        "Delete a device",
        DEVICES,
        answers({204: OpenApiResponse(None, "Deleted. Its tickets stay.")}, *CALLER, 404),
        parameters=(_DEVICE_ID,),
    ),
)
device_token = extend_schema_view(
    post=operation(
        "renew_device_token",
        "Give a device a new token",
        DEVICES,
        answers({201: _NEW_DEVICE}, *CALLER, 404),
        description="The old one is invalid at once, and sockets it opened are closed.",
        parameters=(_DEVICE_ID,),
    )
)

stats = extend_schema_view(
    get=operation(
        "get_stats",
        "Figures",
        TABLES,
        answers({200: StatsSerializer}, 400, *CALLER),
        description="Of the tickets taken on these days; without days, today. With one, of that day. "
        f"At most {MAX_DAYS} days.",
        parameters=days("Of these days"),
    )
)
