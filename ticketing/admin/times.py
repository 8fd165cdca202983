"""Times as the desk's pages of the admin write them: in the time of the place."""

from datetime import datetime

from realtime import admin_times
from ticketing.selectors.figures import zone


def moment(at: datetime | None) -> str:
    """To the second, for what may have to be compared."""
    return admin_times.moment(at, zone())


def minute(at: datetime | None) -> str:
    """To the minute, for lists."""
    return admin_times.minute(at, zone())
