"""The site's map. First path segments used here are refused as channel names (see `config.segments`)."""

from django.contrib import admin
from django.urls import path

from realtime import health, metrics

urlpatterns = [
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics_view, name="metrics"),
]
