"""Settings of the comparison project: nothing but what its four routes need."""

import os

SECRET_KEY = "only-for-measuring"
DEBUG = False
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["channels", "rest_framework"]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "bench.peers.stock.urls"
ASGI_APPLICATION = "bench.peers.stock.asgi.application"
USE_TZ = True
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}
_REDIS_URL = os.environ.get("BENCH_REDIS_URL", "")
CHANNEL_LAYERS = {
    "default": (
        {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [_REDIS_URL]}}
        if _REDIS_URL
        else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    )
}
