"""Asking every process of an installation what only it knows, such as the connections it has. Core.

For what somebody wants to see now and then, and which is too much, or changes too often, to be kept ready for
them (`realtime.presence` does that): nothing is sent or stored until it is asked for.

::

    rt.part(Surveys).answer("shop.customers", lambda details: {"count": len(customers)})
    ...
    answers = await rt.part(Surveys).ask("shop.customers", {})

Every process is in one room of the presence, so that who asks knows who has not answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from realtime import runtime
from realtime.bus import process_group

ASK = "realtime.survey.ask"
ANSWER = "realtime.survey.answer"
ROOM = "realtime:processes"

# A process that serves thousands answers within milliseconds; one that takes longer is stuck, or has just
# been killed and is not known to be gone yet. Somebody waits for the page.
TIMEOUT_S = 2.0

Answer = dict[str, Any]
Answerer = Callable[[dict[str, Any]], Answer]


@dataclass(slots=True)
class Answers:
    """What came, by process id, and the ids of processes from which nothing did."""

    given: dict[str, Answer] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)


class Surveys:
    """One for each runtime. Questions and answers hold msgpack types."""

    def __init__(self, rt: runtime.Runtime) -> None:
        self._runtime = rt
        self._answerers: dict[str, Answerer] = {}
        self._open: dict[int, tuple[Answers, asyncio.Event]] = {}
        self._last_id = 0
        rt.on(ASK, self._on_ask)
        rt.on(ANSWER, self._on_answer)
        rt.spawn(self._enter())

    def answer(self, question: str, answerer: Answerer) -> None:
        """Have this process answer `question` with what ``answerer(details)`` gives."""
        self._answerers[question] = answerer

    async def ask(self, question: str, details: dict[str, Any]) -> Answers:
        """Ask every process, this one included, and wait for all of them, or for `TIMEOUT_S`.

        While Redis is away this process is the only one it knows of.
        """
        rt = self._runtime
        others = {member.id for member in await rt.presence.members(ROOM)} - {rt.process_id}
        answers, complete = Answers(silent=others), asyncio.Event()
        if (answerer := self._answerers.get(question)) is not None:
            answers.given[rt.process_id] = answerer(details)
        if not others:
            return answers
        self._last_id += 1
        number = self._last_id
        self._open[number] = answers, complete
        message = {"id": number, "asker": rt.process_id, "question": question, "details": details}
        rt.bus.send(runtime.EVERY_PROCESS, ASK, message)
        try:
            await asyncio.wait_for(complete.wait(), TIMEOUT_S)
        except TimeoutError:
            pass
        finally:
            del self._open[number]
        return answers

    async def _enter(self) -> None:
        await self._runtime.presence.join(ROOM, self._runtime.process_id, {}, limit=0)

    def _on_ask(self, _group: str, message: dict[str, Any]) -> None:
        answerer = self._answerers.get(message["question"])
        if answerer is None:  # a process of another version
            return
        self._runtime.bus.send(
            process_group(message["asker"]),
            ANSWER,
            {"id": message["id"], "from": self._runtime.process_id, "answer": answerer(message["details"])},
        )

    def _on_answer(self, _group: str, message: dict[str, Any]) -> None:
        if (waiting := self._open.get(message["id"])) is None:
            return  # too late
        answers, complete = waiting
        answers.given[message["from"]] = message["answer"]
        answers.silent.discard(message["from"])
        if not answers.silent:
            complete.set()


@runtime.on_start
def _take_part(rt: runtime.Runtime) -> None:
    rt.part(Surveys)
