"""Two ways to emit from a Django view: REST framework's, and a plain async view."""

import json
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class EmitView(APIView):
    """Parse the body, send it to the group, answer: no authentication, no database."""

    def post(self, request: Request) -> Response:
        text = json.dumps(request.data)
        async_to_sync(get_channel_layer().group_send)("bench", {"type": "event", "text": text})
        return Response({"success": True})


@csrf_exempt
async def emit(request: HttpRequest) -> JsonResponse:
    """The same as an async view, without REST framework."""
    payload: Any = json.loads(request.body)
    await get_channel_layer().group_send("bench", {"type": "event", "text": json.dumps(payload)})
    return JsonResponse({"success": True})


urlpatterns = [path("drf/emit", EmitView.as_view()), path("django/emit", emit)]
