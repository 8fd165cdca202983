"""Times and durations as the pages of the admin write them. Core."""

from datetime import UTC, datetime, tzinfo

NONE = "–"
# Between a number and its unit, so that narrow columns do not tear them apart.
_NBSP = "\N{NO-BREAK SPACE}"


def moment(at: datetime | None, zone: tzinfo = UTC) -> str:
    """``2026-03-29 14:05:09 CEST``: to the second, for what may have to be compared."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}".replace(" ", _NBSP) if at else NONE


def minute(at: datetime | None, zone: tzinfo = UTC) -> str:
    """``2026-03-29 14:05``, for lists."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}".replace(" ", _NBSP) if at else NONE


def duration(seconds: float | None) -> str:
    """``45 s``, ``4 min 20 s``, ``25 min``, ``1 h 05 min``: as exact as one would say it. None: a dash."""
    if seconds is None:
        return NONE
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if whole < 60:
        words = f"{whole} s"
    elif minutes < 10:
        words = f"{minutes} min {rest:02d} s"
    elif (minutes := round(seconds / 60)) < 60:
        words = f"{minutes} min"
    else:
        words = f"{minutes // 60} h {minutes % 60:02d} min"
    return words.replace(" ", _NBSP)
