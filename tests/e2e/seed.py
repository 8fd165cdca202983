"""Migrate and seed the database of the environment; print the keys as JSON. Run by `servers.run_seed`.

Policies are by channel name, so a number of channels of each kind is made beforehand and `channels`
hands each test one of its own.
"""

import json
import os
import sys

KINDS = {
    # Everyone may emit and listen; the last events are kept.
    "kept": {"emit": "open", "listen": "open", "history_size": 2000},
    "short": {"emit": "open", "listen": "open", "history_size": 3},
    "brief": {"emit": "open", "listen": "open", "history_size": 100, "history_age_s": 1},
    "locked": {"emit": "key", "listen": "key", "history_size": 10},
    "closed": {"emit": "closed", "listen": "closed"},
    # Open whatever DEBUG is.
    "open": {"emit": "open", "listen": "open"},
}
CHANNELS_OF_A_KIND = 60

KEYS = {
    "all": ["broadcast:emit", "broadcast:listen", "broadcast:manage"],
    "emit": ["broadcast:emit"],
    "listen": ["broadcast:listen"],
    "news": ["broadcast:emit:news.*", "broadcast:listen:news.*"],
}
ADMIN_PASSWORD = "a-password-for-tests-only"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    from broadcast.models import ChannelPolicy
    from realtime.apikeys import create_api_key

    call_command("migrate", verbosity=0)
    ChannelPolicy.objects.bulk_create(
        ChannelPolicy(channel=f"{kind}-{number}", **fields)
        for kind, fields in KINDS.items()
        for number in range(CHANNELS_OF_A_KIND)
    )
    get_user_model().objects.create_superuser("admin", "admin@example.org", ADMIN_PASSWORD)
    keys = {name: create_api_key(name=name, scopes=scopes)[1] for name, scopes in KEYS.items()}
    json.dump({"keys": keys}, sys.stdout)


if __name__ == "__main__":
    main()
