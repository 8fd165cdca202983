"""Pages and probes that belong to the installation, not to one service."""

from django.urls import path

from realtime import health, metrics, views

urlpatterns = [
    path("", views.landing, name="landing"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics_view, name="metrics"),
    path("api/asyncapi/", views.asyncapi, name="asyncapi"),
]
