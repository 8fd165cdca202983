"""The site's map."""

from django.test import Client
from django.urls import get_resolver
from django.urls.resolvers import RoutePattern

from broadcast.rules import is_channel_name


def first_segments() -> set[str]:
    """First segments of every fixed path of the site."""
    found = set()
    for entry in get_resolver().url_patterns:
        patterns = (
            entry.url_patterns if hasattr(entry, "url_patterns") and str(entry.pattern) == "" else [entry]
        )
        for pattern in patterns:
            if isinstance(pattern.pattern, RoutePattern):
                found.add(str(pattern.pattern).partition("/")[0])
    return found - {""}


def test_no_channel_can_take_the_name_of_one_of_our_paths() -> None:
    segments = first_segments() | {"static"}
    assert {"admin", "api", "healthz", "metrics", "readyz"} <= segments
    assert [name for name in sorted(segments) if is_channel_name(name)] == []


def test_a_forgotten_slash_is_forgiven(client: Client) -> None:
    response = client.get("/admin")
    assert response.status_code == 301
    assert response["Location"] == "/admin/"
