"""The load generators (``load/*.c``), built when needed and spoken to over their pipes."""

from __future__ import annotations

import json
import select
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from bench.process import BUILD, LOAD_CORE, ROOT, cpu_s, machine_busy_s, resident_bytes, spawn, stop

SOURCES = ROOT / "bench" / "load"
COMPILER = shutil.which("cc")


def build(program: str) -> Path:
    """Compile ``load/<program>.c`` unless the result is newer than every source."""
    if COMPILER is None:
        raise RuntimeError("no C compiler (cc) is installed")
    BUILD.mkdir(parents=True, exist_ok=True)
    target = BUILD / program
    newest = max(source.stat().st_mtime for source in SOURCES.glob("*.[ch]"))
    if not target.exists() or target.stat().st_mtime < newest:
        flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Wshadow", "-Wconversion"]
        subprocess.run([COMPILER, *flags, "-o", str(target), str(SOURCES / f"{program}.c")], check=True)
    return target


@dataclass(frozen=True)
class Load:
    """What a measured run saw, the generator's side and the server's.

    Args:
        result: the generator's answer (see ``load/swarm.c`` and ``load/desk.c``).
        server_cpu_s: CPU time of the server's processes in the measured window.
        foreign_cpu: cores' worth of CPU used by neither server nor generator in the window.
        memory_before_bytes, memory_peak_bytes: of the server's processes, sampled during the run.
    """

    result: dict[str, Any]
    server_cpu_s: float
    foreign_cpu: float
    memory_before_bytes: int
    memory_peak_bytes: int

    @property
    def per_s(self) -> float:
        return float(self.result["deliveries"] / self.result["seconds"])

    @property
    def server_cpu(self) -> float:
        return float(self.server_cpu_s / self.result["seconds"])

    @property
    def cpu_us_per_delivery(self) -> float:
        return float(self.server_cpu_s * 1e6 / max(1, self.result["deliveries"]))

    def latency_ms(self, which: str) -> float | None:
        return self.ms("latency", which)

    def answer_ms(self, which: str) -> float | None:
        return self.ms("answer", which)

    def ms(self, times: str, which: str) -> float | None:
        """A percentile (``p50``, ``p99``) of one of the result's histograms; None if it is empty."""
        return self.result[times][f"{which}_us"] / 1000 if self.result[times] else None


class Program:
    """A process that takes commands, one a line, and answers each with a line of JSON; on the load core.

    Raises (from every command):
        RuntimeError: the program ended or answered with an error.
    """

    def __init__(self, command: Sequence[object], *, name: str, core: int = LOAD_CORE) -> None:
        self._process = spawn(command, core=core, log=BUILD / f"{name}.log", pipes=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stop(self._process)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "the program ended"}
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def _ask(self, command: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(command + "\n")

    def command(self, command: str) -> dict[str, Any]:
        """Send one command line and return its answer."""
        self._ask(command)
        return self._answer()

    def commands(self, commands: Sequence[str]) -> None:
        """Send many command lines whose answers say nothing."""
        # What is not read yet of the answers has room in the pipe.
        for start in range(0, len(commands), 1_000):
            some = commands[start : start + 1_000]
            self._ask("\n".join(some))
            for _ in some:
                self._answer()


class Generator(Program):
    """A load generator."""

    program: ClassVar[str]

    def __init__(self, port: int, *, core: int = LOAD_CORE) -> None:
        super().__init__([build(self.program), "127.0.0.1", str(port)], name=self.program, core=core)

    def measure(
        self, command: str, *, pids: Sequence[int] = (), during: Callable[[], None] | None = None
    ) -> Load:
        """Send a command that measures for some seconds; `pids` are the server's processes.

        Args:
            during: called once when the measured window starts.
        """
        assert self._process.stdout
        memory_before = memory_peak = resident_bytes(pids)
        self._ask(command)
        self._answer()
        server_0, busy_0 = cpu_s(pids), machine_busy_s()
        if during:
            during()
        while not select.select([self._process.stdout.fileno()], [], [], 0.1)[0]:
            memory_peak = max(memory_peak, resident_bytes(pids))
        self._answer()
        server_s, busy_s = cpu_s(pids) - server_0, machine_busy_s() - busy_0
        result = self._answer()
        generator_s = result["generator_cpu"] * result["seconds"]
        return Load(
            result=result,
            server_cpu_s=server_s,
            foreign_cpu=max(0.0, (busy_s - server_s - generator_s) / result["seconds"]),
            memory_before_bytes=memory_before,
            memory_peak_bytes=max(memory_peak, resident_bytes(pids)),
        )


class Swarm(Generator):
    """Listeners, and an emitter of events (``load/swarm.c``)."""

    program = "swarm"

    def listen(self, path: str, count: int, *, window: int = 128) -> dict[str, Any]:
        """Open `count` more listeners; all must succeed."""
        answer = self.command(f"listen {path} {count} {window}")
        if answer["failed"]:
            raise RuntimeError(f"{answer['failed']} of {count} listeners could not connect to {path}")
        return answer

    def header(self, name: str, value: str) -> None:
        """Send this header with every emit from now on."""
        self.command(f"header {name}: {value}")

    def wrap(self, before: str, after: str) -> None:
        """Put this around every event from now on; without spaces.

        Called several times, events take turns with what was given.
        """
        self.command(f"wrap {before} {after}")

    def say(self, *texts: str, answer: str, then: str = "") -> None:
        """Listeners opened from now on say this, and are open when a frame with `answer` in it has come.

        Of several texts, or said several times, they take one each in turn. `then` they say all, after it.
        """
        self.commands([f"say {answer} {text}" for text in texts])
        if then:
            self.command(f"then {then}")

    def quote(self) -> None:
        """Events are text within JSON from now on."""
        self.command("quote")

    def rest(self, seconds: float, *, pids: Sequence[int]) -> Load:
        """Do nothing but answer heartbeats: `beats` of the gateway, `busiest` in a second."""
        return self.measure(f"rest {seconds}", pids=pids)

    def stall(self, count: int) -> None:
        """Stop reading on `count` listeners."""
        self.command(f"stall {count}")

    def drain(self) -> dict[str, Any]:
        """Read the stalled listeners to their end and say how each fared."""
        return self.command("drain")

    def emit(
        self,
        path: str,
        *,
        body_bytes: int,
        seconds: float,
        warmup_s: float = 0.5,
        rate: float = 0.0,
        inflight: int = 1,
        senders: int = 8,
        pids: Sequence[int] = (),
        during: Callable[[], None] | None = None,
    ) -> Load:
        """Post events and count deliveries; `pids` are the server's processes.

        Args:
            rate: events per second, whatever the server does; 0 sends the next when fewer than
                `inflight` are still on their way.
            during: called once when the measured window starts.
        """
        command = f"emit {path} {body_bytes} {warmup_s} {seconds} {rate} {inflight} {senders}"
        return self.measure(command, pids=pids, during=during)

    def hear(self, seconds: float, *, pids: Sequence[int] = (), during: Callable[[], None]) -> Load:
        """Count deliveries of what somebody else sends, beginning with `during`, until no more come."""
        return self.emit("-", body_bytes=0, seconds=seconds, warmup_s=0, senders=0, pids=pids, during=during)
