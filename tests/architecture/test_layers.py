"""The layers of the project: who may import whom.

One table for every service (they are all built the same), one list for the pure part of the core, and
the direction between core, services and composition.
"""

import textwrap
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from config import BASE_DIR
from tests.architecture.imports import Project, is_within

CORE = "realtime"
COMPOSITION = "config"

# What a pure module must not reach, however many modules of ours lie between: it must run, and be
# tested, without a framework, an event loop or a log.
IMPURE = (
    "asyncio",
    "asgiref",
    "channels",
    "django",
    "logging",
    "redis",
    "rest_framework",
    "socket",
    "structlog",
    "threading",
    "uvicorn",
)

PURE_CORE = (
    "realtime.clock",
    "realtime.close_codes",
    "realtime.errors",
    "realtime.frames",
    "realtime.heartbeat",
    "realtime.http_errors",
    "realtime.ids",
    "realtime.origins",
    "realtime.ratelimit",
    "realtime.scopes",
    "realtime.server.connection",
    "realtime.server.events",
    "realtime.server.handshake",
    "realtime.server.messages",
    "realtime.wire",
)


@dataclass(frozen=True)
class Rule:
    """Modules of a service that match a pattern must not import others of it, or these libraries.

    Patterns are relative to the service: ``services*`` is services.py and everything in services/.
    """

    pattern: str
    not_ours: tuple[str, ...] = ()
    not_libraries: tuple[str, ...] = ()
    pure: bool = False


FACES = {
    "routing": ("routing",),
    "pages": ("urls", "views"),
    "api": ("api*",),
    "admin": ("admin*",),
}


def _other_faces(face: str) -> tuple[str, ...]:
    return tuple(pattern for name, patterns in FACES.items() if name != face for pattern in patterns)


# Who asks for a request's own objects is a face, whatever its name.
REQUEST = ("django.http", "django.shortcuts", "django.template", "rest_framework")
ABOVE_SERVICES = ("consumers", "routing", "urls", "views", "api*", "admin*")

RULES = (
    Rule(
        "protocol*",
        not_ours=("rules", "models", "services*", "selectors*", "events", *ABOVE_SERVICES),
        pure=True,
    ),
    Rule(
        "rules",
        not_ours=("protocol*", "models", "services*", "selectors*", "events", *ABOVE_SERVICES),
        pure=True,
    ),
    Rule(
        "models",
        not_ours=("services*", "selectors*", "protocol*", "events", *ABOVE_SERVICES),
        not_libraries=REQUEST,
    ),
    Rule("services*", not_ours=ABOVE_SERVICES, not_libraries=REQUEST),
    Rule("selectors*", not_ours=("services*", "events", "protocol*", *ABOVE_SERVICES), not_libraries=REQUEST),
    Rule(
        "events",
        not_ours=("models", "services*", "selectors*", *ABOVE_SERVICES),
        not_libraries=("django.db", *REQUEST),
    ),
    Rule("consumers", not_ours=("models",), not_libraries=("django.db", *REQUEST)),
    *(Rule(pattern, not_ours=_other_faces(face)) for face, patterns in FACES.items() for pattern in patterns),
)


def service_names(root: Path) -> tuple[str, ...]:
    """Folders of the project that are services: those with an ``apps.py``, but for the core."""
    return tuple(sorted(path.parent.name for path in root.glob("*/apps.py") if path.parent.name != CORE))


def violations(project: Project, service: str) -> list[str]:
    """What breaks the table in one service, one line each."""
    found = []
    for module, imports in project.imports.items():
        local = module.removeprefix(service + ".")
        if not module.startswith(service + "."):
            continue
        for rule in RULES:
            if not fnmatchcase(local, rule.pattern):
                continue
            for imported in imports:
                target = project.resolve(imported.module)
                inner = target.removeprefix(service + ".") if target.startswith(service + ".") else ""
                if inner and any(fnmatchcase(inner, pattern) for pattern in rule.not_ours):
                    found.append(f"{module}:{imported.line} ({rule.pattern}) must not import {target}")
                if is_within(imported.module, rule.not_libraries):
                    found.append(
                        f"{module}:{imported.line} ({rule.pattern}) must not import {imported.module}"
                    )
            if rule.pure:
                found += impurities(project, module)
    return sorted(set(found))


def impurities(project: Project, module: str) -> list[str]:
    """The chains by which `module` reaches what a pure module must not."""
    return [chain for target, chain in project.reached(module).items() if is_within(target, IMPURE)]


def direction_violations(project: Project, services: tuple[str, ...]) -> list[str]:
    """Imports against the direction: the core knows no service, no service another, none the composition."""
    found = []
    for module, imports in project.imports.items():
        own = module.partition(".")[0]
        if own == COMPOSITION:
            continue
        # Settings are read through django.conf; the guard of the folder queue/ is the one exception.
        forbidden = tuple(name for name in (*services, COMPOSITION) if name != own)
        for imported in imports:
            allowed = (module, imported.module) == ("queue.apps", "config.checks.queue_shadows_nothing")
            # `queue.Queue` is the standard library's; ours are the modules of the folder.
            standard = imported.module.startswith("queue.") and project.resolve(imported.module) == "queue"
            if (
                is_within(imported.module, forbidden)
                and imported.module != "queue"
                and not (allowed or standard)
            ):
                found.append(f"{module}:{imported.line} must not import {imported.module}")
    return found


SERVICES = service_names(BASE_DIR)
PROJECT = Project(BASE_DIR, (CORE, COMPOSITION, *SERVICES))


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_keeps_its_layers(service: str) -> None:
    assert violations(PROJECT, service) == []


@pytest.mark.parametrize("module", PURE_CORE)
def test_the_pure_part_of_the_core_is_pure(module: str) -> None:
    assert module in PROJECT.modules, "renamed? then the list is out of date"
    assert impurities(PROJECT, module) == []


def test_imports_point_from_composition_to_services_to_core() -> None:
    assert direction_violations(PROJECT, SERVICES) == []


def test_every_module_that_says_it_is_pure_is_on_the_list() -> None:
    for module, path in PROJECT.modules.items():
        docstring = path.read_text().partition('"""')[2].partition('"""')[0]
        if module.startswith(CORE) and any(
            word in docstring for word in ("Core, pure.", "is pure.", " Pure.")
        ):
            assert module in PURE_CORE, f"{module} calls itself pure: add it to PURE_CORE"


# --- The checker itself: each rule must be able to fail ---------------------------------------------------


@pytest.fixture
def planted(tmp_path: Path):
    """A project with a service ``shop``; give files as name -> source and get what is found wrong."""

    def check(**files: str) -> list[str]:
        for name in ("realtime/__init__", "realtime/errors", "realtime/logs", "config/__init__", "shop/apps"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / f"{name}.py").touch()
        (tmp_path / "realtime/logs.py").write_text("import logging")
        for name, source in files.items():
            path = tmp_path / "shop" / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(textwrap.dedent(source))
        project = Project(tmp_path, (CORE, COMPOSITION, "shop"))
        return violations(project, "shop") + direction_violations(project, ("shop", "other"))

    return check


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("protocol__codec", "import django"),
        ("protocol__codec", "from asyncio import sleep"),
        ("protocol__messages", "import logging"),
        ("protocol__session", "from realtime import logs"),
        ("protocol__session", "from realtime.logs import get_logger"),
        ("protocol__session", "from ..services import buy"),
        ("rules", "from django.conf import settings"),
        ("rules", "from shop.protocol import messages"),
        ("models", "from . import services"),
        ("models", "from shop.protocol.messages import Ack"),
        ("services", "from shop import consumers"),
        ("services", "from django.http import HttpRequest"),
        ("services__flow", "from shop.api.views import View"),
        ("services__flow", "def lazy():\n    from shop.consumers import Consumer"),
        ("selectors", "from shop.services import buy"),
        ("selectors", "from shop.services.flow import buy"),
        ("events", "import shop.models"),
        ("consumers", "from shop.models import Order"),
        ("consumers", "from django.db import transaction"),
        ("routing", "from shop import views"),
        ("api__views", "from shop.admin import OrderAdmin"),
        ("admin", "from shop.api import serializers"),
        ("views", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from shop.routing import urls"),
        ("services", "import other.services"),
        ("services", "from config import settings"),
    ],
)
def test_a_leak_is_found(planted, name: str, source: str) -> None:
    layers = dict.fromkeys(["models", "services", "consumers", "routing", "admin", "views", "selectors"], "")
    layers |= {"protocol__messages": "", "protocol__codec": "", "services__flow": "", "api__views": ""}
    layers |= {"api__serializers": ""}
    assert planted(**{**layers, name: source}) != []


def test_a_leak_through_another_module_is_found(planted) -> None:
    found = planted(rules="from shop import prices", prices="import asyncio")
    assert found == ["shop.rules -> shop.prices -> asyncio"]


def test_what_is_allowed_is_not_reported(planted) -> None:
    assert (
        planted(
            protocol__codec="from shop.protocol.messages import Ack\nfrom realtime.errors import FoyerError",
            protocol__messages="import msgspec",
            rules="import random",
            models="from django.db import models\nfrom shop.rules import price",
            selectors="from shop.models import Order",
            events="from shop.protocol import messages",
            services__flow="import asyncio\nfrom shop import models, selectors\nfrom realtime import logs",
            consumers="from shop.services import flow\nfrom shop.protocol import codec",
            views="from shop.services.flow import buy\nfrom django.http import HttpRequest",
            urls="from shop.views import page",
            api__views="from shop import selectors\nfrom shop.api import serializers",
            api__serializers="from shop.models import Order",
            routing="from shop.consumers import Consumer",
        )
        == []
    )
