"""Services describe themselves."""

import pytest
from django.apps import apps

from config import BASE_DIR
from realtime.catalog import Service, services
from realtime.scopes import invalid_scopes


def test_every_service_is_found_under_its_own_label() -> None:
    found = {service.label: service for service in services()}
    assert "broadcast" in found
    for label in found:
        assert apps.get_app_config(label).name == label


@pytest.mark.parametrize("service", list(services()), ids=lambda service: service.label)
def test_what_a_service_says_is_true(service: Service) -> None:
    assert service.title
    assert service.summary.endswith(".")
    assert (BASE_DIR / service.protocol_doc).is_file()
    assert invalid_scopes("\n".join(scope for scope, _ in service.scopes)) == []
    assert all(scope.startswith(f"{service.label}:") for scope, _ in service.scopes)
    for attribute in ("asyncapi", "openapi", "demo"):
        assert not getattr(service, attribute) or service.load(attribute) is not None


def test_a_path_that_names_nothing_is_an_error_and_an_empty_one_is_not() -> None:
    service = Service(label="x", title="X", summary="X.", demo="realtime.demo.no_such_thing")
    with pytest.raises(ImportError):
        service.load("demo")
    assert service.load("asyncapi") is None
