"""The services this installation runs, as they describe themselves.

Core. Each app's ``AppConfig`` may carry ``service = Service(...)``; the landing page, the AsyncAPI
document, the demo command and the metrics read them from here, so that adding a service to
INSTALLED_APPS is all there is to do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a service says about itself. Dotted paths are imported only when used.

    Attributes:
        label: the app's label, also its name in metrics, scopes and logs.
        title: for people, such as "Broadcast channels".
        summary: one sentence: who uses it for what.
        page_url: path of the page to start from, or "" where there is none.
        protocol_doc: path of the protocol's page, from the root of the project.
        asyncapi: dotted path of a `realtime.asyncapi.ServiceChannels`, or "".
        openapi: dotted path of a function that is given the OpenAPI document and adds to it what is no
            Django view, or "".
        demo: dotted path of a function without arguments, or "": it fills in demo data, repeatably, and
            gives what to add to the output of ``manage.py demo`` (`realtime.demo`).
        people: dotted path of a `realtime.people.Directory`, for the one service that keeps accounts.
        scopes: what an API key may be allowed here: scope and meaning, for the admin's help.
    """

    label: str
    title: str
    summary: str
    page_url: str = ""
    protocol_doc: str = ""
    asyncapi: str = ""
    openapi: str = ""
    demo: str = ""
    people: str = ""
    scopes: tuple[tuple[str, str], ...] = ()

    def load(self, attribute: str) -> Any:
        """The object that the dotted path in `attribute` names, or None where it is "".

        Raises:
            ImportError: the path names nothing.
        """
        path = getattr(self, attribute)
        return import_string(path) if path else None


def services() -> Iterator[Service]:
    """Every registered service, in the order of INSTALLED_APPS."""
    for config in apps.get_app_configs():
        service = getattr(config, "service", None)
        if isinstance(service, Service):
            yield service
