"""The OpenAPI document of everything that speaks HTTP, and its page.

Views of Django are read by drf-spectacular. What is no view (a service's plain ASGI routes) the service
describes itself, through ``Service.openapi``.
"""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.views import SpectacularSwaggerSplitView

from realtime.catalog import services


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How `realtime.apikeys.ApiKeyAuthentication` looks in the document."""

    target_class = "realtime.apikeys.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key from the admin: `Authorization: Bearer <key>`.",
        }


def add_service_routes(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """drf-spectacular hook: have every service add its routes that are no Django views."""
    for service in services():
        if describe := service.load("openapi"):
            describe(result)
    return result


class ApiDocs(SpectacularSwaggerSplitView):
    """``GET /api/docs/``: the document, to read and to try out. No script or style in the page itself."""

    template_name = "config/api_docs.html"
