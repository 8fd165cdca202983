"""Names of channels, each handed out once."""

from itertools import count

from tests.e2e.seed import CHANNELS_OF_A_KIND, KINDS


class Channels:
    """``channels()`` is a channel without a policy, ``channels("kept")`` one of a seeded kind."""

    def __init__(self) -> None:
        self._plain = count()
        self._of_kind = {kind: iter(range(CHANNELS_OF_A_KIND)) for kind in KINDS}

    def __call__(self, kind: str | None = None) -> str:
        if kind is None:
            return f"room.{next(self._plain)}"
        return f"{kind}-{next(self._of_kind[kind])}"
