"""Start, watch and stop the processes that are measured."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "bench" / "build"

_CORES = sorted(os.sched_getaffinity(0))
# The server has a core of its own; the generator, this driver, Redis and PostgreSQL share the other.
SERVER_CORE = _CORES[0]
LOAD_CORE = _CORES[-1]
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A TCP port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def spawn(
    command: Sequence[object],
    *,
    core: int,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
    cwd: Path = ROOT,
    pipes: bool = False,
) -> subprocess.Popen[str]:
    """Start `command` pinned to `core`; what it says on standard error goes to `log`."""
    sink = log.open("a") if log else subprocess.DEVNULL
    try:
        return subprocess.Popen(
            ["taskset", "-c", str(core), *map(str, command)],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
            stdout=subprocess.PIPE if pipes else sink,
            stderr=sink,
            text=True,
            bufsize=1,
        )
    finally:
        if log:
            sink.close()  # type: ignore[union-attr]


def stop(process: subprocess.Popen[str], *, patience_s: float = 3.0) -> None:
    """End a process by its own id: SIGTERM, then SIGKILL."""
    tree = family(process.pid)
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            for pid in tree:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()


@contextmanager
def running(
    command: Sequence[object],
    *,
    ready: Callable[[], bool],
    core: int,
    env: Mapping[str, str] | None = None,
    log: Path,
    cwd: Path = ROOT,
    timeout_s: float = 30.0,
) -> Iterator[subprocess.Popen[str]]:
    """A server from the moment `ready` says so until the block is left.

    Raises:
        RuntimeError: it ended, or was not ready in time; the message holds the end of its log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    process = spawn(command, core=core, env=env, log=log, cwd=cwd)
    try:
        deadline = time.monotonic() + timeout_s
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start:\n{log.read_text()[-3000:]}")
            time.sleep(0.05)
        yield process
    finally:
        stop(process)


def accepts(port: int) -> bool:
    """Does anything listen on `port`?"""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(url: str) -> bool:
    """Does a GET of `url` get any HTTP answer? A refusal is one."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except (urllib.error.URLError, OSError):
        return False


def family(pid: int) -> list[int]:
    """`pid` and its descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(member for child in children for member in family(int(child)))]


def cpu_s(pids: Sequence[int]) -> float:
    """CPU time the processes have used, in seconds, from ``/proc/<pid>/stat``."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS_PER_S


def memory_bytes(pids: Sequence[int]) -> int:
    """Proportional set size of the processes: what they share is counted once."""
    total = 0
    for pid in pids:
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        total += int(found[1]) * 1024 if found else 0
    return total


def resident_bytes(pids: Sequence[int]) -> int:
    """Resident memory of the processes; cheap enough to sample while they are measured."""
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids) * _PAGE_BYTES


def machine_busy_s() -> float:
    """CPU seconds the machine has spent on anything at all, stolen time included."""
    user, nice, system, _idle, _wait, irq, softirq, steal, *_ = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    return (user + nice + system + irq + softirq + steal) / TICKS_PER_S
