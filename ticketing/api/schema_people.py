"""How the views of `people` and `login` look in the OpenAPI document."""

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema_view,
    inline_serializer,
)
from rest_framework import serializers

from realtime.http_openapi import BODY, CALLER, search
from ticketing.api.answers import (
    DeskErrorSerializer,
    ErasedSerializer,
    IssuedTokenSerializer,
    StaffSerializer,
    VisitorDetailSerializer,
    VisitorSerializer,
)
from ticketing.api.schema import (
    LOGIN,
    PEOPLE,
    answers,
    id_in_path,
    operation,
)
from ticketing.api.serializers import (
    LoginSerializer,
    StaffChangeSerializer,
    StaffCreateSerializer,
    TokenCreateSerializer,
)

_STAFF_ID = id_in_path("staff_id", "The id of the member of staff.")
_VISITOR_ID = id_in_path("visitor_id", "The visitor's id.")
_TOKEN = OpenApiResponse(IssuedTokenSerializer, "The token. It cannot be shown again.")

staff_list = extend_schema_view(
    get=operation(
        "list_staff",
        "List the staff",
        PEOPLE,
        answers({200: StaffSerializer(many=True)}, 400, *CALLER),
    ),
    post=operation(
        "create_staff",
        "Make an account staff of the desk",
        PEOPLE,
        answers({201: StaffSerializer}, *BODY, *CALLER, 409),
        description="Accounts are made in the admin.",
        request=StaffCreateSerializer,
        examples=(OpenApiExample("Ana", {"username": "ana", "name": "Ana"}, request_only=True),),
    ),
)
staff_member = extend_schema_view(
    get=operation(
        "get_staff",
        "Read a member of staff",
        PEOPLE,
        answers({200: StaffSerializer}, *CALLER, 404),
        parameters=(_STAFF_ID,),
    ),
    patch=operation(
        "change_staff",
        "Change a member of staff",
        PEOPLE,
        answers({200: StaffSerializer}, *BODY, *CALLER, 404, 409),
        request=StaffChangeSerializer,
        parameters=(_STAFF_ID,),
        examples=(OpenApiExample("Keep somebody out", {"is_active": False}, request_only=True),),
    ),
)
staff_tokens = extend_schema_view(
    post=operation(
        "create_staff_token",
        "Make a token for somebody",
        PEOPLE,
        answers({201: _TOKEN}, *BODY, *CALLER, 404, 409),
        description="For whoever cannot sign in themselves. Nobody who is not active gets one.",
        request=TokenCreateSerializer,
        parameters=(_STAFF_ID,),
        examples=(OpenApiExample("For a week", {"expires_in_s": 604_800}, request_only=True),),
    ),
    delete=operation(
        "revoke_staff_tokens",
        "Sign somebody out everywhere",
        PEOPLE,
        answers({204: OpenApiResponse(None, "No token of theirs is valid any more.")}, *CALLER, 404),
        parameters=(_STAFF_ID,),
    ),
)

visitors = extend_schema_view(
    get=operation(
        "list_visitors",
        "List visitors",
        PEOPLE,
        answers({200: VisitorSerializer(many=True)}, 400, *CALLER),
        description="The latest first.",
        parameters=(search("Part of a name or of an address."),),
    )
)
visitor = extend_schema_view(
    get=operation(
        "get_visitor",
        "Read a visitor",
        PEOPLE,
        answers({200: VisitorDetailSerializer}, *CALLER, 404),
        parameters=(_VISITOR_ID,),
    ),
    delete=operation(
        "erase_visitor",
        "Erase a visitor's data",
        PEOPLE,
        answers({200: ErasedSerializer}, *CALLER, 404),
        description="Name and address go out of every ticket; open tickets are cancelled first. "
        "This cannot be undone.",
        parameters=(_VISITOR_ID,),
    ),
)

# --- Signing in -----------------------------------------------------------------------------------------

_TOO_MANY = OpenApiResponse(
    DeskErrorSerializer,
    "Too many attempts from this address, or too many failures for this account. "
    "`Retry-After` says how many seconds to wait.",
)

login = extend_schema_view(
    post=operation(
        "login",
        "Sign in",
        LOGIN,
        {
            **answers({200: _TOKEN}, *BODY, 403),
            401: OpenApiResponse(DeskErrorSerializer, "Name and password do not belong together."),
            429: _TOO_MANY,
        },
        description="With the name and password of an account that is active staff of the desk.",
        request=LoginSerializer,
        auth=[{}],
        examples=(OpenApiExample("Ana", {"username": "ana", "password": "her password"}, request_only=True),),
    )
)
logout = extend_schema_view(
    post=operation(
        "logout",
        "Sign out",
        LOGIN,
        answers(
            {
                200: OpenApiResponse(
                    inline_serializer("SignedOut", {"success": serializers.BooleanField()}),
                    "The token of this request is not valid any more.",
                )
            },
            *CALLER,
        ),
    )
)
token = extend_schema_view(
    post=operation(
        "create_own_token",
        "A token for the account that is logged in",
        LOGIN,
        answers({201: _TOKEN}, *CALLER),
        description="For the staff page: takes the site's session and its CSRF token.",
    )
)
