"""Work on demand is done once at a time and never too early; tasks that are ended have ended."""

import asyncio

from realtime.tasks import OnDemand, end


class Work:
    """Goes on until it is let finish. It is counted."""

    def __init__(self) -> None:
        self.begun = 0
        self.fails = False
        self.go = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []
        self.on_demand = OnDemand(lambda work: self.tasks.append(asyncio.create_task(work)), self._do)

    async def _do(self) -> None:
        self.begun += 1
        if self.fails:
            raise LookupError("a bug")
        await self.go.wait()

    async def done(self) -> None:
        """Return when nothing is under way. Raises what the work has raised."""
        await asyncio.gather(*self.tasks)


async def test_it_is_done_beside_what_goes_on():
    work = Work()
    work.on_demand.soon()
    assert work.begun == 0
    work.go.set()
    await work.done()
    assert work.begun == 1


async def test_who_asks_before_it_begins_is_served_by_it():
    work = Work()
    work.go.set()
    for _ in range(5):
        work.on_demand.soon()
    await work.done()
    assert work.begun == 1


async def test_however_many_ask_while_it_is_under_way_it_is_done_once_more():
    work = Work()
    for _ in range(5):
        work.on_demand.soon()
        await asyncio.sleep(0)
    assert work.begun == 1, "once at a time"
    work.go.set()
    await work.done()
    assert work.begun == 2


async def test_it_can_be_asked_for_again():
    work = Work()
    work.go.set()
    for times in range(1, 4):
        work.on_demand.soon()
        await work.done()
        assert work.begun == times


async def test_a_failure_is_its_spawners_and_the_next_who_asks_is_served():
    work = Work()
    work.fails = True
    work.on_demand.soon()
    (failure,) = await asyncio.gather(*work.tasks, return_exceptions=True)
    assert isinstance(failure, LookupError)
    work.tasks.clear()
    work.fails = False
    work.go.set()
    work.on_demand.soon()
    await work.done()
    assert work.begun == 2


async def test_a_task_that_forgets_it_was_cancelled_is_ended_all_the_same():
    refusals = 0

    async def stubborn() -> None:
        nonlocal refusals
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if refusals:
                    raise
                refusals += 1

    async def failing() -> None:
        raise LookupError("nobody's concern any more")

    tasks = [asyncio.create_task(stubborn()), asyncio.create_task(failing())]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end(tasks)
    assert refusals == 1
    assert all(task.done() for task in tasks)
