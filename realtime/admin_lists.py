"""Long lists of the admin. Core."""

from functools import cached_property
from typing import Any, ClassVar

from django.core.paginator import Paginator


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts, and so lists, the first `max_listed`: counting all there are would read all there are."""

    max_listed: ClassVar[int] = 10_000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows[: self.max_listed].count())
