"""Settings, read from the environment. Every one has a default that works on a bare machine.

The full list, with meanings, is in ``docs/operations.md``.
"""

import hmac
import os
import secrets
from pathlib import Path

import environ
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from config import BASE_DIR
from realtime.logs import logging_config

env = environ.Env()
if (BASE_DIR / ".env").is_file():
    environ.Env.read_env(str(BASE_DIR / ".env"))

VERSION = "0.1.0"

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var")))
DATA_DIR.mkdir(parents=True, exist_ok=True)

DEBUG = env.bool("DEBUG", default=True)


def _development_secret_key() -> str:
    """A key of this installation's own, made once and kept in DATA_DIR, readable by its owner only."""
    path = DATA_DIR / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return path.read_text().strip()


SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set and DEBUG is off. Set SECRET_KEY to a long random string, "
            "for example the output of: python -c 'import secrets; print(secrets.token_urlsafe(50))'"
        )
    SECRET_KEY = _development_secret_key()

ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", default=["*"] if DEBUG else ["localhost", "127.0.0.1", "[::1]"]
)
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "channels",
    "rest_framework",
    "rest_framework_api_key",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "axes",
    "csp",
    "realtime",
    "django.contrib.staticfiles",  # after realtime, whose runserver speaks WebSocket
    "broadcast",
    "ticketing",
    "queue",
    "gateway",
    "notifications",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.StaticFiles",
    "config.middleware.ContentSecurityPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "config.middleware.NotFoundPage",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database -------------------------------------------------------------------------------

DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'foyer.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # A write transaction takes its lock when it starts: two that meet wait for each other
        # instead of one failing in the middle.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL: a commit is on disk before it is acknowledged, also over a power cut.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;",
    }
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    # Connections are pooled: an idle one that the server dropped is replaced before it is handed out.
    DATABASES["default"]["OPTIONS"] = {
        "pool": {
            "min_size": 1,
            "max_size": env.int("DATABASE_POOL_SIZE", default=10),
            "timeout": 10,
            # The pool waits twice as long after each attempt that fails: let it begin anew with the next
            # caller, or the end of an outage is noticed as late again as the outage took.
            "reconnect_timeout": 2,
        },
        # A machine that died in a transaction must not hold its locks until TCP notices, and who waits for
        # one gets an answer.
        "options": "-c idle_in_transaction_session_timeout=15s -c lock_timeout=10s",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Bus between processes --------------------------------------------------------------------

REDIS_URL = env.str("REDIS_URL", default="")
CHANNEL_LAYERS = (
    {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL], "prefix": "foyer"},
        }
    }
    if REDIS_URL
    else {}
)

# --- Limits of a process ----------------------------------------------------------------------

# Descriptors are the hard limit; what is left under it serves the database, the bus and HTTP.
MAX_CONNECTIONS = env.int("MAX_CONNECTIONS", default=19_000)
# One address may stand for everyone behind a venue's router, so it is not small.
MAX_CONNECTIONS_PER_ADDRESS = env.int("MAX_CONNECTIONS_PER_ADDRESS", default=2_000)
# Pages of other sites that may open sockets here, as origins; our own host always may.
ALLOWED_ORIGINS: list[str] = env.list("ALLOWED_ORIGINS", default=[])
# Proxies whose X-Forwarded-For and -Proto are believed.
FORWARDED_ALLOW_IPS = env.str("FORWARDED_ALLOW_IPS", default="127.0.0.1")

# --- Broadcast channels -----------------------------------------------------------------------

BROADCAST_PING_INTERVAL_S = env.float("BROADCAST_PING_INTERVAL_S", default=15.0)
BROADCAST_ACK_TIMEOUT_S = env.float("BROADCAST_ACK_TIMEOUT_S", default=5.0)
BROADCAST_PRESENCE_LIMIT = env.int("BROADCAST_PRESENCE_LIMIT", default=1_000)
# Origins whose pages may call the emit API from a browser; "*" is any.
BROADCAST_CORS_ORIGINS: list[str] = env.list("BROADCAST_CORS_ORIGINS", default=[])
# Emits per second, and how many at once, for each key and each address.
BROADCAST_EMIT_RATE = env.float("BROADCAST_EMIT_RATE", default=200.0)
BROADCAST_EMIT_BURST = env.int("BROADCAST_EMIT_BURST", default=400)
# May a channel without a policy be emitted to without a key?
BROADCAST_OPEN = env.bool("BROADCAST_OPEN", default=DEBUG)

# --- Ticket desk ------------------------------------------------------------------------------

# Are kiosks and displays let in without a device's token?
TICKETING_OPEN_DEVICES = env.bool("TICKETING_OPEN_DEVICES", default=DEBUG)
# How long a table is kept for somebody whose connection was lost.
TICKETING_GRACE_S = env.float("TICKETING_GRACE_S", default=30.0)
# Name of the place, on the kiosk and on slips.
TICKETING_PLACE = env.str("TICKETING_PLACE", default="")
# Of tickets of kiosks without a prefix of their own.
TICKETING_PREFIX = env.str("TICKETING_PREFIX", default="A")
# Numbers start again at this place's midnight; figures are by its hours.
TICKETING_TIME_ZONE = env.str("TICKETING_TIME_ZONE", default="UTC")
# Of kiosk, display and staff page; the first is what a page starts with.
TICKETING_LANGUAGES: list[str] = env.list("TICKETING_LANGUAGES", default=["en", "de", "ar"])

# --- Login queue ------------------------------------------------------------------------------

# The server that people log in at; empty: Foyer verifies them and issues the session tokens itself.
MAIN_SERVER_URL = env.str("MAIN_SERVER_URL", default="")
# For one attempt, from the connection to the last byte of the answer.
MAIN_SERVER_TIMEOUT_S = env.float("MAIN_SERVER_TIMEOUT_S", default=10.0)

# A main server that fails is asked so many times more, after a pause that doubles from this.
MAIN_SERVER_RETRIES = env.int("MAIN_SERVER_RETRIES", default=3)
MAIN_SERVER_RETRY_PAUSE_S = env.float("MAIN_SERVER_RETRY_PAUSE_S", default=0.5)
# What `shouldQueue: true` says: "go", as the protocol's document has it, or "wait", as some clients read it.
QUEUE_SHOULD_QUEUE_MEANS = env.str("QUEUE_SHOULD_QUEUE_MEANS", default="go")
if QUEUE_SHOULD_QUEUE_MEANS not in ("go", "wait"):
    raise ImproperlyConfigured(f"QUEUE_SHOULD_QUEUE_MEANS is {QUEUE_SHOULD_QUEUE_MEANS!r}: go or wait.")
# Tickets, sessions and the admission log are deleted so many days after they ended; 0: never.
QUEUE_KEEP_DAYS = env.int("QUEUE_KEEP_DAYS", default=30)
# Of the page for people who wait, after the browser's own; the first is for everybody else.
QUEUE_LANGUAGES: list[str] = env.list("QUEUE_LANGUAGES", default=["en", "de", "ar"])
# Where that page goes on to with the session token, "#jwt=…"; empty: it says that one is in.
QUEUE_NEXT_URL = env.str("QUEUE_NEXT_URL", default="")

# Signs the session tokens that Foyer issues (HS256). Whoever verifies them knows it, and with it could
# issue some; so it must not be the key of anything else, nor lead back to one.
QUEUE_JWT_KEY = (
    env.str("QUEUE_JWT_KEY", default="")
    or hmac.new(SECRET_KEY.encode(), b"foyer.queue.jwt", "sha256").hexdigest()
)
if len(QUEUE_JWT_KEY.encode()) < 32:
    raise ImproperlyConfigured(
        "QUEUE_JWT_KEY is shorter than 32 bytes, which is too short for HS256 (RFC 7518)."
    )
QUEUE_JWT_ISSUER = env.str("QUEUE_JWT_ISSUER", default="foyer")
QUEUE_JWT_LIFETIME_S = env.int("QUEUE_JWT_LIFETIME_S", default=86_400)

# Client ids that identity tokens may be made for. A provider without one is refused.
QUEUE_GOOGLE_AUDIENCES: list[str] = env.list("QUEUE_GOOGLE_AUDIENCES", default=[])
QUEUE_GOOGLE_KEYS_URL = env.str("QUEUE_GOOGLE_KEYS_URL", default="https://www.googleapis.com/oauth2/v3/certs")
QUEUE_APPLE_AUDIENCES: list[str] = env.list("QUEUE_APPLE_AUDIENCES", default=[])
QUEUE_APPLE_KEYS_URL = env.str("QUEUE_APPLE_KEYS_URL", default="https://appleid.apple.com/auth/keys")
QUEUE_LINE_CHANNEL_ID = env.str("QUEUE_LINE_CHANNEL_ID", default="")
QUEUE_LINE_KEYS_URL = env.str("QUEUE_LINE_KEYS_URL", default="https://api.line.me/oauth2/v2.1/certs")
QUEUE_LINE_VERIFY_URL = env.str("QUEUE_LINE_VERIFY_URL", default="https://api.line.me/oauth2/v2.1/verify")
QUEUE_FACEBOOK_APP_ID = env.str("QUEUE_FACEBOOK_APP_ID", default="")
QUEUE_FACEBOOK_APP_SECRET = env.str("QUEUE_FACEBOOK_APP_SECRET", default="")
QUEUE_FACEBOOK_DEBUG_URL = env.str(
    "QUEUE_FACEBOOK_DEBUG_URL", default="https://graph.facebook.com/debug_token"
)

# --- Gateway ----------------------------------------------------------------------------------

# How often either side asks the other for a sign of life, in milliseconds.
GATEWAY_HEARTBEAT_INTERVAL_MS = env.int("GATEWAY_HEARTBEAT_INTERVAL_MS", default=45_000)
# Messages per second, and how many at once, of one account; of new channels a tenth.
GATEWAY_POST_RATE = env.float("GATEWAY_POST_RATE", default=5.0)
GATEWAY_POST_BURST = env.int("GATEWAY_POST_BURST", default=100)

# --- Notifications ----------------------------------------------------------------------------

# Another service that knows the users: asked with a token, it answers who it is of. Empty: this site does.
NOTIFICATIONS_USER_API_URL = env.str("NOTIFICATIONS_USER_API_URL", default="")
# Another service that has their notifications; empty: this site has them.
NOTIFICATIONS_API_URL = env.str("NOTIFICATIONS_API_URL", default="")
# For one request to another service, and how many at once to each.
NOTIFICATIONS_API_TIMEOUT_S = env.float("NOTIFICATIONS_API_TIMEOUT_S", default=5.0)
NOTIFICATIONS_API_MAX_REQUESTS = env.int("NOTIFICATIONS_API_MAX_REQUESTS", default=32)

# Where other services leave what is to be told; without brokers nothing is read from Kafka.
KAFKA_BROKERS: list[str] = env.list("KAFKA_BROKERS", default=[])
KAFKA_TOPIC = env.str("KAFKA_TOPIC", default="wss")
# All who read share it: each message goes to one of them.
KAFKA_GROUP = env.str("KAFKA_GROUP", default="wssGroup")
KAFKA_SECURITY_PROTOCOL = env.str("KAFKA_SECURITY_PROTOCOL", default="PLAINTEXT")
if KAFKA_SECURITY_PROTOCOL not in ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"):
    raise ImproperlyConfigured(
        f"KAFKA_SECURITY_PROTOCOL is {KAFKA_SECURITY_PROTOCOL!r}: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."
    )
KAFKA_SASL_MECHANISM = env.str("KAFKA_SASL_MECHANISM", default="PLAIN")
if KAFKA_SASL_MECHANISM not in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"):
    raise ImproperlyConfigured(
        f"KAFKA_SASL_MECHANISM is {KAFKA_SASL_MECHANISM!r}: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."
    )
KAFKA_SASL_USERNAME = env.str("KAFKA_SASL_USERNAME", default="")
if KAFKA_SECURITY_PROTOCOL.startswith("SASL") and not KAFKA_SASL_USERNAME:
    raise ImproperlyConfigured(
        f"KAFKA_SECURITY_PROTOCOL={KAFKA_SECURITY_PROTOCOL} needs KAFKA_SASL_USERNAME."
    )
KAFKA_SASL_PASSWORD = env.str("KAFKA_SASL_PASSWORD", default="")
# Certificates (PEM) that the brokers' own is checked against; empty: those of the system.
KAFKA_CA_FILE = env.str("KAFKA_CA_FILE", default="")

# --- Accounts and security --------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False  # realtime.admin shows them in the admin's own style
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# HTTPS is on by default outside DEBUG; INSECURE_HTTP=1 is for an installation on a trusted wire.
_https = not DEBUG and not env.bool("INSECURE_HTTP", default=False)
SECURE_SSL_REDIRECT = _https
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
SECURE_HSTS_PRELOAD = _https
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    },
}

# The admin's widgets (Alpine) evaluate expressions in attributes, and its colours are a style element.
# Nothing of another host is loaded there either. `config.middleware` applies it.
ADMIN_CONTENT_SECURITY_POLICY = {
    **CONTENT_SECURITY_POLICY["DIRECTIVES"],
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
}
CSRF_FAILURE_VIEW = "realtime.views.csrf_failure"

# --- Pages and API ----------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # static files are found without being collected; a missing folder warns
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "realtime.apikeys.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["realtime.http_api.JsonBodyParser"],
    "DEFAULT_PAGINATION_CLASS": "realtime.http_api.Pagination",
    "EXCEPTION_HANDLER": "realtime.http_exceptions.exception_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Foyer",
    "DESCRIPTION": "The HTTP side of Foyer. The WebSocket side is described at /api/asyncapi/.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ChannelAccess": "broadcast.models.Access",
        "GatewayChannelType": "gateway.models.ChannelType",
        "GatewayMessageType": "gateway.models.MessageType",
        "DeviceKind": "ticketing.models.DeviceKind",
        "LineLogKind": "queue.models.LogKind",
        "LineTicketState": "queue.models.TicketState",
        "AdmissionReason": "queue.models.Reason",
        "SentKind": "notifications.models.SentKind",
        "TicketEventKind": "ticketing.models.EventKind",
        "TicketState": "ticketing.models.TicketState",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.openapi.add_service_routes",
    ],
    # No validator of another host looks at our schema.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None, "tryItOutEnabled": True},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
UNFOLD = {
    "SITE_TITLE": "Foyer",
    "SITE_HEADER": "Foyer",
    "SITE_SYMBOL": "meeting_room",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("realtime/favicon.svg")}
    ],
    "DASHBOARD_CALLBACK": "realtime.admin.dashboard",
    # The accent of the pages (realtime/static/realtime/foyer.css) in unfold's eleven steps.
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .012 213)",
            "100": "oklch(94.5% .025 213)",
            "200": "oklch(89% .045 213)",
            "300": "oklch(82% .07 213)",
            "400": "oklch(72% .09 213)",
            "500": "oklch(63% .09 215)",
            "600": "oklch(44% .075 217)",
            "700": "oklch(38% .065 218)",
            "800": "oklch(33% .055 219)",
            "900": "oklch(29% .045 220)",
            "950": "oklch(22% .035 221)",
        }
    },
    "SIDEBAR": {"show_search": True, "show_all_applications": False},
}

# Prometheus sends it as a bearer token; empty: /metrics answers anyone who reaches it.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
LOG_FORMAT = env.str("LOG_FORMAT", default="console" if DEBUG else "json")
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING_CONFIG = None  # structlog and the standard library are configured together
logging_config(log_format=LOG_FORMAT, level=LOG_LEVEL)
