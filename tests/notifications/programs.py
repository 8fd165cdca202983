"""Programs that call the HTTP API of the notifications."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from realtime.apikeys import create_api_key

ROOT = "/api/notifications/"
TEMPLATE = {"type": "handover", "title": "From {from}", "data": {"rooms": ["{rooms}"] * 9}}


class Program:
    """Something that calls the API with a key of its own."""

    def __init__(self, *scopes: str, name: str = "shop") -> None:
        self.client = Client()
        self.name = name
        self.key = create_api_key(name=name, scopes=list(scopes))[1]

    def ask(self, method: str, path: str = "", body: Any = None, **headers: str) -> tuple[int, Any]:
        answer = self.client.generic(
            method,
            ROOT + path,
            "" if body is None else json.dumps(body),
            "application/json",
            headers={"authorization": f"Bearer {self.key}", **headers},
        )
        assert answer["Cache-Control"] == "no-store"
        said = answer.json()
        assert said["success"] is (answer.status_code < 300)
        return answer.status_code, said

    def get(self, path: str) -> Any:
        """What an answer that says success has besides that."""
        status, said = self.ask("GET", path)
        assert status == 200, said
        del said["success"]
        (value,) = said.values()
        return value
