"""``python -m bench [figure …]``: measure, and print a Markdown table for each figure.

Run it on a machine that is otherwise quiet: the column *other CPU* says whether it was.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

from bench.figures import (
    answers,
    desk,
    durable,
    emit,
    fanout,
    gateway,
    hostile,
    idle,
    notifications,
    paced,
    queue,
    stalled,
)
from bench.process import BUILD, LOAD_CORE, SERVER_CORE
from bench.report import Figure, Options, Table, put_into
from bench.swarm import COMPILER

FIGURES: dict[str, Figure] = {
    "fanout": fanout.run,
    "paced": paced.run,
    "stalled": stalled.run,
    "hostile": hostile.run,
    "idle": idle.run,
    "answers": answers.run,
    "emit": emit.run,
    "durable": durable.run,
    "desk": desk.run,
    "queue": queue.run,
    "gateway": gateway.run,
    "notifications": notifications.run,
}


def main(arguments: list[str] | None = None) -> int:
    """Return 0 if everything ran, 1 if a target was missed and ``--strict`` was given."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "figures", nargs="*", metavar="figure", help=f"any of: {', '.join(FIGURES)} (default: all)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default: 5)")
    parser.add_argument("--seconds", type=float, default=4.0, help="measured seconds in each (default: 4)")
    parser.add_argument(
        "--quick", action="store_true", help="small and short: shows that it runs, not how fast"
    )
    parser.add_argument("--json", type=Path, default=BUILD / "results.json", help="where the samples go")
    parser.add_argument("--into", type=Path, help="put the tables between their markers in this page")
    parser.add_argument("--strict", action="store_true", help="fail if a target is missed")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.figures if name not in FIGURES]:
        parser.error(f"unknown figure: {', '.join(unknown)}")
    if COMPILER is None:
        print("No C compiler (cc) is installed; the load generator cannot be built.", file=sys.stderr)
        return 2
    options = Options(given.rounds, given.seconds)
    if given.quick:
        options = Options(rounds=1, seconds=0.5, quick=True)
    if SERVER_CORE == LOAD_CORE:
        print(
            "Only one core: server and generator share it, so rates are not the server's own.",
            file=sys.stderr,
        )

    started = time.monotonic()
    tables: dict[str, list[Table]] = {}
    for name in given.figures or FIGURES:
        tables[name] = FIGURES[name](options, lambda text: print(text, file=sys.stderr, flush=True))
        for table in tables[name]:
            print(table.markdown(), flush=True)
        if given.into:
            given.into.write_text(put_into(given.into.read_text(), name, tables[name]))
    given.json.parent.mkdir(parents=True, exist_ok=True)
    machine = {"cores": os.cpu_count(), "kernel": platform.release(), "python": platform.python_version()}
    figures = {name: [table.as_json() for table in made] for name, made in tables.items()}
    given.json.write_text(json.dumps({"machine": machine, "figures": figures}, indent=1, ensure_ascii=False))
    print(f"{time.monotonic() - started:.0f} s; samples in {given.json}", file=sys.stderr)
    missed = [
        target for made in tables.values() for table in made for target in table.targets if not target.met
    ]
    return 1 if missed and given.strict else 0


if __name__ == "__main__":
    sys.exit(main())
