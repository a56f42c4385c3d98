"""What the asyncio classes add: steps, claimed sessions, task handlers, iteration."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ._aio_runtime import AsyncNoun, AsyncOwner, Opening
from ._barograph import Handle
from ._records_gen import (
    ClaimedTask,
    Event,
    EventPage,
    Failure,
    SessionBatch,
    StepFinished,
    StepPolicy,
    TaskBatch,
    TaskFailure,
    TaskReport,
    TaskResult,
)
from ._sugar import (
    WAIT_MS,
    Patience,
    PolicyText,
    StrPath,
    beginning,
    no_handler,
    settled,
    task_failure,
    undecided,
)
from ._wire import decode, payload, span, value

if TYPE_CHECKING:
    from ._aio_gen import Session
    from ._aio_runs import SessionRun

__all__ = ["EventStreamSugar", "SessionNounSugar", "SessionSugar", "StrPath", "WorkerSugar"]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


async def _outcome(made: Any) -> Any:
    """The value of a function that may be an async one."""
    return await made if inspect.isawaitable(made) else made


class SessionNounSugar(AsyncNoun):
    """Sessions that others submitted, one by one."""

    __slots__ = ()

    if TYPE_CHECKING:

        async def claim(
            self,
            max: int = 1,
            wait_ms: int | timedelta = 0,
            *,
            labels: Mapping[str, str] | None = None,
        ) -> SessionBatch: ...

        def open(self, id: str, *, resume: bool = False) -> Opening[Session]: ...

    async def claimed(
        self,
        *,
        labels: Mapping[str, str] | None = None,
        stop: asyncio.Event | Callable[[], bool] | None = None,
        idle_ms: int | None = None,
        idle: timedelta | None = None,
    ) -> AsyncIterator[SessionRun]:
        """Claims sessions, waiting for them, and gives each out open, with its input.

            async for s in ws.session.claimed():
                await s.complete(await s.step("build", lambda: build(s.input)))

        Each is closed when the loop goes on or is left, also by an exception. What was not
        completed then is claimed again, at once or when the signal or time that it waits for
        is there. Several loops, tasks and processes share the work.

        Args:
            labels: Only sessions that carry all of these labels.
            stop: End once this event is set, or this function says so.
            idle_ms: End when no session came for this long; None waits for ever.
            idle: The same as `idle_ms`, as a `timedelta`.
        """
        from ._aio_runs import SessionRun

        asked = stop.is_set if isinstance(stop, asyncio.Event) else stop
        patience = Patience(span("idle", idle_ms, idle, "session.claim"), asked)
        while (wait := patience.wait_ms()) is not None:
            for claimed in (await self.claim(1, wait, labels=labels)).sessions:
                async with SessionRun(await self.open(claimed.id, resume=True), claimed) as run:
                    yield run
                patience.renew()


class SessionSugar(AsyncOwner):
    """Steps as functions."""

    __slots__ = ()

    if TYPE_CHECKING:

        async def finish(
            self,
            token: str,
            result: Any = None,
            *,
            failure: Failure | BaseException | None = None,
        ) -> StepFinished: ...

    @overload
    async def step(
        self,
        name: str,
        fn: Callable[[], Awaitable[T]],
        *,
        key: str | None = None,
        args: Any = None,
        policy: StepPolicy | PolicyText = StepPolicy.RETRY,
    ) -> T: ...

    @overload
    async def step(
        self,
        name: str,
        fn: Callable[[], T],
        *,
        key: str | None = None,
        args: Any = None,
        policy: StepPolicy | PolicyText = StepPolicy.RETRY,
    ) -> T: ...

    async def step(
        self,
        name: str,
        fn: Callable[[], Any],
        *,
        key: str | None = None,
        args: Any = None,
        policy: StepPolicy | PolicyText = StepPolicy.RETRY,
    ) -> Any:
        """Runs `fn` once for this step of the session; later runs get the recorded result.

        The result is what JSON can hold, or bytes; tuples come back as lists. An exception is
        recorded as the step's failure and raised again; the step then runs again next time. A
        cancelled step is left as a crash would leave it. Steps that run side by side need a
        `key` each.

        Args:
            name: The step's name. Steps are matched by name and occurrence.
            fn: What to do: an async function or a plain one, called without arguments.
            key: Matches the step by this key instead of its occurrence.
            args: What the step depends on; another value at the same place is
                `session.diverged`.
            policy: `retry` runs a step that was cut short again; `once` never does, and raises
                `ConflictError` (code `session.unknown`) for you to decide.
        """
        start = decode(await self._send("session.begin", beginning(name, key, args, policy)))
        if start["state"] == "done":
            return value(start["result"])
        if start["state"] != "run":
            raise undecided(name, start["token"])
        try:
            text, result = settled(start["token"], await _outcome(fn()))
        except Exception as error:
            await self.finish(start["token"], failure=error)
            raise
        await self._send("session.finish", text)
        return result


class WorkerSugar(AsyncOwner):
    """Handlers of tasks, and the loop that runs them."""

    __slots__ = ("_handlers", "_stopped")

    def __init__(self, handle: Handle) -> None:
        super().__init__(handle)
        self._handlers: dict[str, Callable[[Any], Any]] = {}
        self._stopped = False

    if TYPE_CHECKING:

        async def next(self, max: int = 1, wait_ms: int = 0) -> TaskBatch: ...
        async def complete(self, tasks: list[TaskResult]) -> TaskReport: ...
        async def fail(self, tasks: list[TaskFailure]) -> TaskReport: ...

    def task(self, name: str) -> Callable[[F], F]:
        """Registers a function, async or plain, as the handler of tasks of this name.

        The function gets the task's payload: a JSON value or bytes; what it returns is the
        task's result, what it raises its failure.
        """

        def register(handler: F) -> F:
            self._handlers[name] = handler
            return handler

        return register

    def stop(self) -> None:
        """Makes `run` return after the batch at hand."""
        self._stopped = True

    async def run(
        self,
        *,
        max_tasks: int | None = None,
        stop: asyncio.Event | Callable[[], bool] | None = None,
        batch: int = 1,
        idle_ms: int | None = None,
        idle: timedelta | None = None,
    ) -> int:
        """Takes tasks and runs their handlers until told to stop; how many were run.

        Args:
            max_tasks: Return after this many tasks.
            stop: Return once this event is set, or this function says so.
            batch: Claim up to this many tasks at a time and run them side by side.
            idle_ms: Return when no task came for this long; None waits for ever.
            idle: The same as `idle_ms`, as a `timedelta`.
        """
        asked = stop.is_set if isinstance(stop, asyncio.Event) else stop
        self._stopped = False
        patience = Patience(span("idle", idle_ms, idle, "worker.next"), asked)
        ran = 0
        while not self._stopped and (wait := patience.wait_ms()) is not None:
            room = batch if max_tasks is None else min(batch, max_tasks - ran)
            if room <= 0:
                break
            tasks = (await self.next(room, wait)).tasks
            if tasks:
                await self._run_batch(tasks)
                ran += len(tasks)
                patience.renew()
        return ran

    async def _run_batch(self, tasks: list[ClaimedTask]) -> None:
        outcomes = await asyncio.gather(*(self._run_one(task) for task in tasks))
        done = [outcome for outcome in outcomes if isinstance(outcome, TaskResult)]
        failed = [outcome for outcome in outcomes if isinstance(outcome, TaskFailure)]
        if done:
            await self.complete(done)
        if failed:
            await self.fail(failed)

    async def _run_one(self, task: ClaimedTask) -> TaskResult | TaskFailure:
        handler = self._handlers.get(task.name)
        if handler is None:
            return no_handler(task)
        try:
            made = await _outcome(handler(task.payload))
            payload(made, "result", "worker.complete")
        except Exception as error:
            return task_failure(task, error)
        return TaskResult(task.id, made)


class EventStreamSugar(AsyncOwner):
    """Events one by one."""

    __slots__ = ("cursor",)

    #: The `seq` of the last durable event that iteration gave out; open with `after` to go on.
    cursor: int

    def __init__(self, handle: Handle) -> None:
        super().__init__(handle)
        self.cursor = 0

    if TYPE_CHECKING:

        async def next(self, max: int = 100, wait_ms: int = 0) -> EventPage: ...

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Every event; with `follow` it waits for new ones and ends when the stream is closed."""
        while True:
            page = await self.next(100, WAIT_MS)
            for event in page.events:
                if event.seq:
                    self.cursor = event.seq
                yield event
            if page.ended:
                return
