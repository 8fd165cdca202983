"""No page refers to a file, a heading or a make target that is not there."""

import re
from pathlib import Path

import pytest

from config import BASE_DIR

PAGES = sorted([*BASE_DIR.glob("*.md"), *BASE_DIR.glob("docs/**/*.md")])
# The picture and the measurements are made by a running server.
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """Headings of a page as links name them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(BASE_DIR)))
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(page.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(BASE_DIR)))
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (BASE_DIR / "Makefile").read_text(), re.MULTILINE))
    code = "\n".join(re.findall(r"`[^`\n]+`|^```.*?^```", page.read_text(), re.MULTILINE | re.DOTALL))
    named = set(re.findall(r"(?:^|[\s`])make ([a-z-]+)", code, re.MULTILINE)) - {"nginx"}
    assert named <= targets


def test_the_version_is_the_same_everywhere() -> None:
    settings = re.search(r'^VERSION = "([^"]+)"', (BASE_DIR / "config/settings.py").read_text(), re.MULTILINE)
    project = re.search(r'^version = "([^"]+)"', (BASE_DIR / "pyproject.toml").read_text(), re.MULTILINE)
    assert settings is not None
    assert project is not None
    assert settings[1] == project[1]
