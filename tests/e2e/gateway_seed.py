"""Two people and a channel of the gateway, in the database of the environment; prints them as JSON.

Then posts what it reads, a line ``["CHANNEL", "AUTHOR", "CONTENT"]`` each, and prints the message's id.
``gateway_seed many COUNT AUTHOR CHANNEL…`` posts many, in turn in each channel, and prints their ids.
"""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from gateway.models import ChannelType, Message  # noqa: E402
from gateway.services.accounts import register  # noqa: E402
from gateway.services.channels import create_channel, join_channel  # noqa: E402
from gateway.services.posts import NewPost, commit_posts, post_message  # noqa: E402
from gateway.services.tokens import issue_token  # noqa: E402

if sys.argv[1:2] == ["many"]:
    count, author, *channels = map(int, sys.argv[2:])
    many = [NewPost(channels[number % len(channels)], author, 0, f"{number}") for number in range(count)]
    json.dump([str(message.pk) for message in commit_posts(many) if isinstance(message, Message)], sys.stdout)
else:
    ann, ben = [register(username=name, password="correct horse battery") for name in ("ann", "ben")]
    channel = create_channel(author=ann, kind=ChannelType.STREAM, title="Talk")
    join_channel(channel=channel, account_id=ben.pk)
    people = {
        name: {"id": str(account.pk), "token": issue_token(account=account)}
        for name, account in (("ann", ann), ("ben", ben))
    }
    print(json.dumps({"channel": str(channel.pk), "people": people}), flush=True)
    for line in sys.stdin:
        channel_id, author_id, content = json.loads(line)
        made = post_message(NewPost(int(channel_id), int(author_id), 0, content))
        print(json.dumps(str(made.pk)), flush=True)
