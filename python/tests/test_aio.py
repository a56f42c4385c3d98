"""asyncio: cancellation, many calls at once, nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from typing import Any

import pytest

import barograph
from barograph import _aio_runtime, aio


def test_many_calls_at_once_in_few_deliveries() -> None:
    wakes = 0

    async def main() -> None:
        nonlocal wakes
        loop = asyncio.get_running_loop()
        plain = loop.call_soon_threadsafe

        def counted(*args: Any, **options: Any) -> Any:
            nonlocal wakes
            wakes += 1
            return plain(*args, **options)

        setattr(loop, "call_soon_threadsafe", counted)
        async with aio.open(in_memory=True) as ws:
            answers = await asyncio.gather(*(ws.info() for _ in range(1_000)))
        assert {answer.version for answer in answers} == {barograph.__version__}
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    # One wake would do if all came at once; one for each would mean that nothing is batched.
    assert 1 <= wakes < 1_000


def test_a_cancelled_task_cancels_its_call() -> None:
    async def main() -> None:
        async with aio.open(in_memory=True) as ws, ws.worker("q") as worker:
            task = asyncio.ensure_future(worker.next(1, 60_000))
            await asyncio.sleep(0.05)
            started = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - started < 1
            # The call took nothing with it: a task that comes now goes to the next call.
            await ws.queue.enqueue("q", [barograph.NewTask("a")])
            assert len((await worker.next(1, 5_000)).tasks) == 1
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_a_timeout_of_the_host_ends_a_call() -> None:
    async def main() -> None:
        async with aio.open(in_memory=True) as ws, ws.worker("q") as worker:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(worker.next(1, 60_000), 0.05)
            assert (await worker.next()).tasks == []

    asyncio.run(main())


def test_an_error_comes_out_of_await() -> None:
    async def main() -> None:
        with pytest.raises(barograph.NotFoundError):
            await aio.open("/no/such/folder")
        async with aio.open(in_memory=True) as ws:
            with pytest.raises(barograph.Error):
                await ws.session.show("nope")
            with pytest.raises(TypeError):
                await ws.session.list(limit="many")  # type: ignore[arg-type]
            session = await ws.session("s")
            await session.close()
            with pytest.raises(barograph.ClosedError):
                await session.begin("a")

    asyncio.run(main())


def test_a_loop_that_ends_with_calls_pending_is_let_go_of() -> None:
    async def main() -> weakref.ref[asyncio.AbstractEventLoop]:
        ws = await aio.open(in_memory=True)
        worker = await ws.worker("q")
        task = asyncio.ensure_future(worker.next(1, 60_000))
        await asyncio.sleep(0.01)
        assert not task.done()
        return weakref.ref(asyncio.get_running_loop())

    # Many, as the answer to what is cancelled may come while its loop is closed.
    loops = [asyncio.run(main()) for _ in range(50)]
    deadline = time.monotonic() + 5
    gc.collect()
    while _aio_runtime._deliveries and time.monotonic() < deadline:
        time.sleep(0.01)
        gc.collect()
    assert [loop() for loop in loops] == [None] * len(loops)
    assert len(_aio_runtime._deliveries) == 0


def test_a_stopped_loop_does_not_break_later_answers() -> None:
    loop = asyncio.new_event_loop()

    async def start() -> asyncio.Task[Any]:
        ws = await aio.open(in_memory=True)
        worker = await ws.worker("q")
        return asyncio.ensure_future(worker.next(1, 100))

    task = loop.run_until_complete(start())
    loop.close()
    time.sleep(0.2)
    del task
    gc.collect()
    assert barograph.open(in_memory=True).info().version == barograph.__version__


def test_blocking_and_asyncio_share_the_store(tmp_path: Any) -> None:
    async def main() -> str:
        async with aio.open(tmp_path, store=tmp_path / "s.db") as ws, ws.session("s") as session:
            return await session.step("a", lambda: "done by aio")

    assert asyncio.run(main()) == "done by aio"
    with barograph.open(tmp_path, store=tmp_path / "s.db") as ws:
        with ws.session("s", resume=True) as session:
            assert session.step("a", lambda: "done again") == "done by aio"
