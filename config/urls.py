"""The site's map. The first segment of each path here is a name no broadcast channel can have."""

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from config.openapi import ApiDocs
from realtime.views import api_not_found

handler400 = "realtime.views.bad_request"
handler403 = "realtime.views.permission_denied"
handler404 = "realtime.views.not_found"
handler500 = "realtime.views.server_error"

urlpatterns = [
    path("", include("realtime.urls")),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", ApiDocs.as_view(), name="api-docs"),
    path("api/broadcast/", include("broadcast.api.urls")),
    path("api/ticketing/", include("ticketing.api.urls")),
    path("api/queue/", include("queue.api.urls")),
    path("api/v1/", include("gateway.api.urls")),
    path("api/notifications/", include("notifications.api.urls")),
    # An unknown path is no page that a form could belong to: 404 whatever the method.
    re_path(r"^api/", api_not_found),
    path("ticketing/", include("ticketing.urls")),
    path("queue/", include("queue.urls")),
    path("gateway/", include("gateway.urls")),
    path("notifications/", include("notifications.urls")),
    path("", include("broadcast.urls")),
]
