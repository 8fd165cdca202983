"""The pages of the ticket desk. What is live on them is done by the browser over the socket of the same URL.

A face: looks at who asks, and renders. Kiosks and displays are devices: a token in the address, which then
stays in a cookie, or none where the installation is open. Staff sign in with their account.
Protocol: docs/protocols/ticketing.md.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from realtime import http_login
from ticketing.rules import DISPLAY, KIOSK, device_cookie
from ticketing.services.devices import find_device
from ticketing.services.people import staff_of_user

# A device stands where it stands for years; whoever opens its page once a year keeps it in.
DEVICE_COOKIE_AGE_S = 365 * 24 * 3600
_TOO_MANY_REQUESTS = 429


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """``GET /ticketing/``: which pages there are, and for whom."""
    return render(request, "ticketing/start.html", {"open_devices": settings.TICKETING_OPEN_DEVICES})


@require_safe
@never_cache
def kiosk(request: HttpRequest) -> HttpResponse:
    """``GET /ticketing/kiosk/``: where visitors take a number. One query at most."""
    return _device_page(request, KIOSK)


@require_safe
@never_cache
def display(request: HttpRequest) -> HttpResponse:
    """``GET /ticketing/display/``: who goes where. One query at most."""
    return _device_page(request, DISPLAY)


def _device_page(request: HttpRequest, kind: str) -> HttpResponse:
    """The page of a device that is let in; else 403 with a page that says how to let it in.

    A valid ``?token=`` goes into a cookie, and the address is opened again without it: so it does not stay
    on the screen, in the history or in a bookmark.
    """
    shown = request.GET.get("token")
    token = request.COOKIES.get(device_cookie(kind), "") if shown is None else shown
    device = find_device(kind=kind, token=token) if token else None
    if shown is not None and device is not None:
        return _remember_device(request, kind, shown)
    if device is None and (shown is not None or not settings.TICKETING_OPEN_DEVICES):
        context = {
            "kind": kind,
            "token_shown": bool(shown),
            "address": request.build_absolute_uri(request.path),
        }
        return render(request, "ticketing/not_let_in.html", context, status=403)
    return render(request, f"ticketing/{kind}.html", {"desk": desk_data(kind)})


def _remember_device(request: HttpRequest, kind: str, token: str) -> HttpResponse:
    query = request.GET.copy()
    del query["token"]
    address = request.path + (f"?{query.urlencode()}" if query else "")
    response = HttpResponseRedirect(address)
    response["Referrer-Policy"] = "no-referrer"
    response.set_cookie(
        device_cookie(kind),
        token,
        max_age=DEVICE_COOKIE_AGE_S,
        path=request.path,
        secure=request.is_secure(),
        httponly=True,
        # Not "Strict": the link may be opened out of a mail, and the page after it is the first to need it.
        samesite="Lax",
    )
    return response


def desk_data(page: str) -> dict[str, Any]:
    """What a page tells its script, as the script reads it."""
    return {
        "languages": settings.TICKETING_LANGUAGES,
        "timeZone": settings.TICKETING_TIME_ZONE,
        "place": settings.TICKETING_PLACE,
        "socketPath": reverse(f"ticketing:{page}"),
        "api": "/api/ticketing/",
    }


# --- staff ------------------------------------------------------------------------------------------------


class SignInForm(AuthenticationForm):
    """Signs in who serves at the desk, and nobody else. Its errors are known to the page by their codes."""

    def confirm_login_allowed(self, user: Any) -> None:
        """Raises ValidationError ("not_staff") where the account is not that of somebody active."""
        super().confirm_login_allowed(user)
        if staff_of_user(user) is None:
            raise ValidationError("This account does not serve at the desk.", code="not_staff")


@method_decorator(never_cache, name="dispatch")
class StaffPage(LoginView):
    """``/ticketing/staff/``: the page of those who serve, or the form to sign in to it, at the same address.

    Two queries with a session. An account that does not serve (any more) gets the form, too.
    """

    template_name = "ticketing/sign_in.html"
    form_class = SignInForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        staff = staff_of_user(request.user) if request.user.is_authenticated else None
        if staff is None:
            return super().get(request, *args, **kwargs)
        data = desk_data("staff") | {
            "staff": {"id": staff.pk, "name": staff.name},
            "csrfToken": get_token(request),
        }
        return render(request, "ticketing/staff.html", {"desk": data, "staff": staff})

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Signs in, or gives the form again."""
        if wait_s := http_login.limit.take(request.META.get("REMOTE_ADDR", "")):
            form = self.form_class(initial={"username": request.POST.get("username", "")})
            context = self.get_context_data(form=form, problem="signInTooOften")
            headers = {"Retry-After": str(wait_s)}
            return self.render_to_response(context, status=_TOO_MANY_REQUESTS, headers=headers)
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """The form again, with one reason in words; 429 where too many attempts were made."""
        codes = {error.code for errors in form.errors.as_data().values() for error in errors}
        # The middleware of axes would put a bare line of text in place of this page.
        locked = getattr(self.request, "axes_locked_out", False)
        self.request.axes_locked_out = False  # type: ignore[attr-defined]
        problem = "signInLocked" if locked else _SIGN_IN_PROBLEMS.get(next(iter(codes), None), "signInWrong")
        context = self.get_context_data(form=form, problem=problem)
        return self.render_to_response(context, status=_TOO_MANY_REQUESTS if locked else 200)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(languages={"languages": settings.TICKETING_LANGUAGES}, **kwargs)

    def get_success_url(self) -> str:
        """Always this page: where to go on to is nobody's to say in a link."""
        return reverse("ticketing:staff")


_SIGN_IN_PROBLEMS: dict[str | None, str] = {"required": "signInMissing", "not_staff": "signInNotStaff"}
