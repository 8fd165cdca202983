"""``manage.py close_desk``: nobody of an earlier day waits any more."""

from typing import Any

from django.core.management.base import BaseCommand

from ticketing.services.tickets import cancel_left_over


class Command(BaseCommand):
    help = "Cancel the tickets that still wait from earlier days; every page and socket hears of it."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Cancelled: {cancel_left_over(actor='closing')}.")
