"""What the AsyncAPI document says of a service's messages, for holding them against it."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from realtime.asyncapi import inlined
from realtime.views import asyncapi_document


def validators_of(service: str) -> dict[str, Draft202012Validator]:
    """By the name of each of its messages. Every schema is proved to be one."""
    document = asyncapi_document(host="localhost:8000", secure=False)
    found = {}
    for key, message in document["components"]["messages"].items():
        if key.startswith(f"{service}."):
            schema = inlined(document, message["payload"])
            Draft202012Validator.check_schema(schema)
            found[message["name"]] = Draft202012Validator(schema)
    return found


def assert_fits_only_whole(validator: Draft202012Validator, message: dict[str, Any]) -> None:
    """It fits, and would not without any of its parts."""
    validator.validate(message)
    for name in message:
        with pytest.raises(ValidationError):
            validator.validate({key: value for key, value in message.items() if key != name})
