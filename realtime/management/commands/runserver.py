"""``manage.py runserver``: the development server, with WebSockets. It is daphne's.

Daphne as an installed app would give the same command, but load Twisted into every process of ours,
servers included, which never use it: a sixth of the time each takes to start.
"""

from daphne.management.commands.runserver import Command

__all__ = ["Command"]
