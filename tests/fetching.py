"""What tests need and the project does not hold is fetched once for a machine, by whoever needs it first."""

from __future__ import annotations

import fcntl
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path


class NotFetchedError(Exception):
    """It could not be had. The message holds what the program printed that was to fetch it."""


def fetch_once(
    folder: Path, command: Callable[[Path], Sequence[str]], *, makes: str, deadline_s: float
) -> None:
    """Return when `folder` is there, whole; meanwhile all others who want it wait.

    Args:
        command: given an empty folder, the program to run in it.
        makes: the name of what that leaves there, and what becomes `folder`.

    Raises:
        NotFetchedError: the program failed. The next who asks tries again.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return
        with tempfile.TemporaryDirectory(dir=folder.parent) as incomplete:
            program = command(Path(incomplete))
            fetched = subprocess.run(
                program,
                cwd=incomplete,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=deadline_s,
            )
            if fetched.returncode:
                raise NotFetchedError(f"{program[0]} failed:\n{fetched.stdout}{fetched.stderr}")
            Path(incomplete, makes).replace(folder)
