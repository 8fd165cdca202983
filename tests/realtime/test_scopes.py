"""What a scope covers."""

import pytest

from realtime.scopes import invalid_scopes, scopes_allow


@pytest.mark.parametrize(
    ("granted", "scope", "subject", "allowed"),
    [
        ("broadcast:emit", "broadcast:emit", "news", True),
        ("broadcast:emit", "broadcast:emit", "", True),
        ("broadcast:emit", "broadcast:manage", "", False),
        ("broadcast:emit", "gateway:emit", "", False),
        ("broadcast:emit:news.*", "broadcast:emit", "news.sport", True),
        ("broadcast:emit:news.*", "broadcast:emit", "news", False),
        ("broadcast:emit:news.*", "broadcast:emit", "NEWS.sport", False),
        ("broadcast:emit:news.*", "broadcast:emit", "", False),
        ("broadcast:emit:*", "broadcast:emit", "", False),
        ("broadcast:emit:a:b", "broadcast:emit", "a:b", True),
        ("broadcast:emit:room-[0-9]", "broadcast:emit", "room-7", True),
        ("broadcast:emit:room-[0-9]", "broadcast:emit", "room-77", False),
    ],
)
def test_a_scope_covers_its_action_and_the_subjects_it_names(
    granted: str, scope: str, subject: str, allowed: bool
) -> None:
    assert scopes_allow([granted], scope, subject) is allowed


def test_no_scope_allows_nothing_and_one_of_several_is_enough() -> None:
    assert not scopes_allow([], "broadcast:emit", "news")
    assert scopes_allow(["gateway:send", "broadcast:emit:x", "broadcast:emit"], "broadcast:emit", "news")


def test_lines_that_are_no_scopes_are_named() -> None:
    good = "broadcast:emit\n\n  broadcast:emit:news.* \r\nq:s\r\n"
    bad = "broadcast\nBROADCAST:emit\nbroadcast:emit:\na b:c\r\n"
    assert invalid_scopes(good) == []
    assert invalid_scopes(good + bad + good) == ["broadcast", "BROADCAST:emit", "broadcast:emit:", "a b:c"]
