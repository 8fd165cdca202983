"""Samples of interleaved rounds, and the Markdown table and targets made of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

Samples = dict[str, list[float]]


@dataclass(frozen=True)
class Options:
    """How much to measure. `quick` is for seeing that everything runs; its numbers mean nothing."""

    rounds: int = 5
    seconds: float = 4.0
    quick: bool = False

    def scaled(self, count: int) -> int:
        """`count` connections, or a twentieth of them in a quick run."""
        return max(10, count // 20) if self.quick else count


@dataclass
class Target:
    """A ratio or bound that a figure is judged by."""

    text: str
    value: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool:
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )


@dataclass
class Table:
    """One figure: for each subject, the samples of each column, one for each round.

    Args:
        ratio_of: the column whose ratio to `reference` is shown, round by round; empty: no ratio.
        reference: the subject that all others are held against; Foyer.
    """

    title: str
    ratio_of: str = ""
    reference: str = "Foyer"
    rows: dict[str, Samples] = field(default_factory=dict)
    targets: list[Target] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, subject: str, **columns: float | None) -> None:
        """One round of one subject."""
        row = self.rows.setdefault(subject, {})
        for column, value in columns.items():
            if value is not None:
                row.setdefault(column, []).append(value)

    def median(self, subject: str, column: str) -> float | None:
        samples = self.rows.get(subject, {}).get(column)
        return median(samples) if samples else None

    def ratio(self, subject: str, column: str | None = None) -> float | None:
        """How many times the reference's figure is the subject's: the median over the rounds both ran in."""
        column = column or self.ratio_of
        ours = self.rows.get(self.reference, {}).get(column, [])
        theirs = self.rows.get(subject, {}).get(column, [])
        pairs = [a / b for a, b in zip(ours, theirs, strict=False) if b]
        return median(pairs) if pairs else None

    def expect(
        self, text: str, value: float | None, *, at_least: float | None = None, at_most: float | None = None
    ) -> None:
        """Judge a target; one that could not be measured is not judged."""
        if value is not None:
            self.targets.append(Target(text, value, at_least, at_most))

    def markdown(self) -> str:
        columns = list(dict.fromkeys(column for row in self.rows.values() for column in row))
        head = ["", *columns, *([f"{self.reference} ÷ it, {self.ratio_of}"] if self.ratio_of else [])]
        lines = [f"### {self.title}", "", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
        for subject, row in self.rows.items():
            cells = [_spread(row.get(column)) for column in columns]
            if self.ratio_of:
                ratio = self.ratio(subject)
                cells.append(f"**{number(ratio)}**" if ratio else "")
            lines.append("| " + " | ".join([subject, *cells]) + " |")
        lines.append("")
        lines += [f"Left out: {peer} ({why})." for peer, why in self.left_out.items()]
        lines += self.notes
        for target in self.targets:
            bound = (
                f"≥ {number(target.at_least)}"
                if target.at_least is not None
                else f"≤ {number(target.at_most)}"
            )
            verdict = "met" if target.met else "MISSED"
            lines.append(f"- {target.text}: {number(target.value)} (wanted {bound}) — {verdict}")
        return "\n".join(lines) + "\n"

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"targets": [asdict(target) | {"met": target.met} for target in self.targets]}


def number(value: float | None) -> str:
    """Three figures, thousands apart."""
    if value is None:
        return "–"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _spread(samples: list[float] | None) -> str:
    if not samples:
        return "–"
    middle = number(median(samples))
    return middle if len(samples) == 1 else f"{middle} ({number(min(samples))}–{number(max(samples))})"


def put_into(page: str, figure: str, tables: list[Table]) -> str:
    """`page` with the figure's tables between ``<!-- figure NAME -->`` and ``<!-- end -->``.

    Raises:
        ValueError: the page has no such place.
    """
    text = "\n".join(table.markdown() for table in tables)
    place = re.compile(rf"(<!-- figure {figure} -->\n).*?(<!-- end -->)", re.DOTALL)
    page, found = place.subn(lambda match: f"{match[1]}{text}{match[2]}", page)
    if not found:
        raise ValueError(f"no place for the figure {figure}")
    return page


Progress = Callable[[str], None]
Figure = Callable[[Options, Progress], list[Table]]
