"""Ratios are taken round by round, and targets are judged in the right direction."""

import pytest

from bench.report import Options, Table, number, put_into


def table() -> Table:
    made = Table("Speed", "per s")
    for ours, theirs in ((10, 1), (100, 20), (30, 10)):
        made.add("Foyer", **{"per s": ours})
        made.add("other", **{"per s": theirs})
    return made


def test_the_ratio_is_the_median_of_the_rounds_ratios() -> None:
    assert table().ratio("other") == 5  # of 10, 5 and 3; the ratio of the medians would be 3


def test_a_subject_measured_in_fewer_rounds_is_compared_in_those() -> None:
    made = table()
    made.add("rare", **{"per s": 2})
    assert made.ratio("rare") == 5


def test_nothing_measured_gives_no_ratio_and_no_verdict() -> None:
    made = table()
    made.expect("÷ absent", made.ratio("absent"), at_least=2)
    assert made.targets == []


def test_targets_are_bounds_from_below_or_above() -> None:
    made = table()
    made.expect("fast", 5.0, at_least=5)
    made.expect("slow", 4.9, at_least=5)
    made.expect("small", 26.0, at_most=26)
    made.expect("large", 27.0, at_most=26)
    assert [target.met for target in made.targets] == [True, False, True, False]


def test_the_markdown_shows_spread_ratio_left_out_and_verdicts() -> None:
    made = table()
    made.left_out["absent"] = "not installed"
    made.expect("fast", 5.0, at_least=6)
    text = made.markdown()
    assert "| other | 10 (1–20) | **5** |" in text
    assert "Left out: absent (not installed)." in text
    assert "- fast: 5 (wanted ≥ 6) — MISSED" in text


def test_numbers_have_three_figures() -> None:
    assert [number(value) for value in (None, 0.123456, 12.345, 1234.5)] == ["–", "0.123", "12.3", "1,234"]


def test_a_quick_run_is_a_twentieth() -> None:
    assert Options(quick=True).scaled(1000) == 50
    assert Options(quick=True).scaled(100) == 10
    assert Options().scaled(1000) == 1000


def test_a_page_takes_a_figures_tables_in_their_place_again_and_again() -> None:
    page = (
        "before\n<!-- figure speed -->\nold\n<!-- end -->\nafter\n<!-- figure other -->\nkept\n<!-- end -->\n"
    )
    once = put_into(page, "speed", [table()])
    assert "### Speed" in once
    assert "old" not in once
    assert "kept" in once
    assert once.startswith("before\n")
    assert put_into(once, "speed", [table()]) == once
    with pytest.raises(ValueError, match="no place"):
        put_into(page, "absent", [])
