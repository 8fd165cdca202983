"""What is fetched for tests is fetched once, whole or not at all."""

import threading
from pathlib import Path

import pytest

from tests.fetching import NotFetchedError, fetch_once

# Says in the folder around it that it was run.
FETCH = "echo run >> ../runs; mkdir made; echo something > made/file"


def fetch(folder: Path, script: str = FETCH) -> None:
    fetch_once(folder, lambda _: ["sh", "-c", script], makes="made", deadline_s=30)


def test_many_who_want_it_have_it_fetched_once(tmp_path: Path):
    folder, together = tmp_path / "cache" / "thing", threading.Barrier(4)
    found: list[str] = []

    def want() -> None:
        together.wait()
        fetch(folder)
        found.append((folder / "file").read_text())

    threads = [threading.Thread(target=want) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["something\n"] * 4
    assert (folder.parent / "runs").read_text() == "run\n"


def test_what_is_there_is_not_fetched(tmp_path: Path):
    (tmp_path / "thing").mkdir()
    fetch(tmp_path / "thing", "exit 1")


def test_a_failure_says_what_was_printed_and_leaves_nothing(tmp_path: Path):
    folder = tmp_path / "thing"
    with pytest.raises(NotFetchedError, match=r"(?s)^sh failed:.*no such mirror.*nor this one"):
        fetch(folder, FETCH + "; echo no such mirror; echo nor this one >&2; exit 3")
    assert not folder.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs", "thing.lock"]
    fetch(folder)
    assert (folder / "file").exists()


def test_the_command_is_told_its_folder_and_runs_in_it(tmp_path: Path):
    def command(folder: Path) -> list[str]:
        (folder / "made").mkdir()
        return ["sh", "-c", f"test -d made && touch {folder}/made/file"]

    fetch_once(tmp_path / "thing", command, makes="made", deadline_s=30)
    assert (tmp_path / "thing" / "file").exists()
