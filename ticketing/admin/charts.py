"""Bar charts as SVG coordinates: what a template only has to print. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

# In SVG units, which are pixels where there is room for them.
WIDTH = 960
HEIGHT = 240
_LEFT = 44
_TOP = 12
_BOTTOM = 24
_MAX_TICKS = 5
# A chart of two hours would be two walls.
_MIN_SLOTS = 12
# Of a slot, for all its bars.
_BARS_SHARE = 0.7


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle, and the words a mouse finds at it."""

    x: float
    y: float
    width: float
    height: float
    words: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A label, and where it stands on its axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One list of bars for each series, in the order of the series."""

    bars: list[list[Bar]]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    base: int = HEIGHT - _BOTTOM


@dataclass(frozen=True, slots=True)
class Series:
    """What a bar says it is, and its values: None for no bar."""

    name: str
    values: Sequence[float | None]
    words: Sequence[str] = field(default=())
    """How each value is said; the value itself if there are none."""


def bar_chart(labels: Sequence[str], series: Sequence[Series]) -> Chart:
    """Bars side by side for each label. Values are 0 or more, as many as labels in each series."""
    plot_height = HEIGHT - _TOP - _BOTTOM
    top = max((value or 0.0 for one in series for value in one.values), default=0.0)
    step = nice_step(top)
    ticks = [step * n for n in range(_MAX_TICKS + 1) if step * (n - 1) < top] if top else [0.0, step]
    scale = plot_height / ticks[-1]
    slot = (WIDTH - _LEFT) / max(len(labels), _MIN_SLOTS)
    width = slot * _BARS_SHARE / max(len(series), 1)
    bars = [
        [
            Bar(
                x=round(_LEFT + slot * n + slot * (1 - _BARS_SHARE) / 2 + width * place, 1),
                y=round(HEIGHT - _BOTTOM - value * scale, 1),
                width=round(width, 1),
                height=round(value * scale, 1),
                words=f"{labels[n]}: {one.name} {one.words[n] if one.words else f'{value:g}'}",
            )
            for n, value in enumerate(one.values)
            if value is not None
        ]
        for place, one in enumerate(series)
    ]
    return Chart(
        bars=bars,
        x_ticks=[Tick(round(_LEFT + slot * (n + 0.5), 1), label) for n, label in enumerate(labels)],
        y_ticks=[Tick(round(HEIGHT - _BOTTOM - value * scale, 1), f"{value:g}") for value in ticks],
    )


def nice_step(top: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, 50 … of which `_MAX_TICKS` reach `top`."""
    step, grow = 1.0, 0
    while step * _MAX_TICKS < top:
        step *= (2.0, 2.5, 2.0)[grow % 3]
        grow += 1
    return step
