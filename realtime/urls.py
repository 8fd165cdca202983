"""Pages and probes that belong to the installation, not to one service."""

from django.templatetags.static import static
from django.urls import path
from django.views.generic import RedirectView

from realtime import health, metrics, views

urlpatterns = [
    path("", views.landing, name="landing"),
    # Browsers ask for it wherever no page names another, JSON and probes among them.
    path("favicon.ico", RedirectView.as_view(url=static("realtime/favicon.svg"))),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics_view, name="metrics"),
    path("api/asyncapi/", views.asyncapi, name="asyncapi"),
]
