"""Reading the query string: bounded values in, or a ValidationError (400) that names the parameter.

Core, for Django REST framework.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

MAX_TEXT: Final = 254
"""Of a search: nobody looks for more than a whole address."""


def number_parameter(request: Request, name: str, maximum: int) -> int | None:
    """A number from 0 to `maximum`; None where it was not sent.

    Raises:
        ValidationError: it is none.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    # isdigit alone also takes digits of other scripts, and int() has a limit on length.
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(maximum)) and int(text) <= maximum):
        raise ValidationError({name: f"A number between 0 and {maximum}."})
    return int(text)


def day_parameter(request: Request, name: str) -> date | None:
    """A day as ``2019-10-01``; None where it was not sent.

    Raises:
        ValidationError: it is none.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        # fromisoformat also takes forms that nobody would recognise as a day.
        if len(text) != 10 or not text.isascii() or "W" in text:
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise ValidationError({name: "A day as 2019-10-01."}) from None


def text_parameter(request: Request, name: str) -> str:
    """A text to look for; "" where it was not sent.

    Raises:
        ValidationError: it is too long, or has a NUL character, which no database can look for.
    """
    text = request.query_params.get(name, "")
    if len(text) > MAX_TEXT or "\x00" in text:
        raise ValidationError({name: f"A text of at most {MAX_TEXT} characters."})
    return text.strip()


def exact_parameter(
    request: Request, name: str, is_one: Callable[[str], object], sentence: str
) -> str | None:
    """A value that `is_one` takes, such as an id, as it was sent; None where it was not.

    Raises:
        ValidationError: `is_one` does not take it; `sentence` says what it would.
    """
    text = request.query_params.get(name)
    if text is not None and not is_one(text):
        raise ValidationError({name: sentence})
    return text


def flag_parameter(request: Request, name: str) -> bool | None:
    """``true`` or ``false``; None where it was not sent.

    Raises:
        ValidationError: it is neither.
    """
    text = request.query_params.get(name)
    if text not in (None, "true", "false"):
        raise ValidationError({name: "true or false."})
    return None if text is None else text == "true"


def choice_parameters(request: Request, name: str, choices: Sequence[str]) -> list[str]:
    """Values of a parameter that may be repeated.

    Raises:
        ValidationError: one is not among `choices`.
    """
    chosen = request.query_params.getlist(name)
    if not set(chosen) <= set(choices):
        raise ValidationError({name: f"One of {', '.join(choices)}."})
    return chosen
