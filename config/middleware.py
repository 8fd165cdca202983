"""Middleware of the site."""

from collections.abc import Callable
from http import HTTPStatus
from io import BytesIO

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from realtime.views import not_found


class ContentSecurityPolicy(CSPMiddleware):
    """The strict policy for every page, and the admin's own for the admin."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith("/admin/"):
            parts.config = settings.ADMIN_CONTENT_SECURITY_POLICY
        return parts


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise, answering with a file's content instead of an iterator over it.

    Under ASGI Django cannot stream such an iterator: it would warn and read the whole file all the same.
    """

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        answer = static_file.get_response(request.method, request.META)
        with answer.file or BytesIO() as file:
            response = HttpResponse(file.read(), status=int(answer.status))
        del response["Content-Type"]  # the file's own follows, where it has one
        for name, value in answer.headers:
            response[name] = value
        return response


class NotFoundPage(MiddlewareMixin):
    """The same page for an unknown address with DEBUG on as with it off.

    Whoever tries Foyer out has DEBUG on, and Django's own page then is a list of URL patterns.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not settings.DEBUG:
            raise MiddlewareNotUsed
        super().__init__(get_response)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.status_code == HTTPStatus.NOT_FOUND and not request.resolver_match:
            return not_found(request)
        return response
