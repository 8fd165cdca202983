"""Scopes: what an API key may do. Pure.

A scope is ``<service>:<action>`` or ``<service>:<action>:<pattern>``, where the pattern is matched
against the subject (a channel's name, for one) as in a shell: ``*`` any characters, ``?`` one,
``[abc]`` one of these. A scope without a pattern covers every subject.
"""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

_SCOPE = re.compile(r"[a-z][a-z_]*:[a-z][a-z_]*(:\S+)?")


def invalid_scopes(text: str) -> list[str]:
    """The lines of `text` that are not scopes, in order."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not _SCOPE.fullmatch(line)]


def scopes_allow(scopes: Iterable[str], scope: str, subject: str = "") -> bool:
    """Does one of `scopes` cover doing `scope` (``service:action``) to `subject`?

    With a subject of "" a scope with a pattern does not count: it allows some subjects, not all.
    """
    for granted in scopes:
        service, action, *pattern = granted.split(":", 2)
        if f"{service}:{action}" == scope and (not pattern or (subject and fnmatchcase(subject, pattern[0]))):
            return True
    return False
