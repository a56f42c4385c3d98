"""What the blocking classes add to their operations: steps, task handlers, iteration."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union

from ._barograph import Handle
from ._records_gen import (
    ClaimedTask,
    Event,
    EventPage,
    Failure,
    StepFinished,
    StepPolicy,
    StepStart,
    StepState,
    TaskBatch,
    TaskFailure,
    TaskReport,
    TaskResult,
)
from ._runtime import Owner
from ._wire import as_payload, decode, describe, encode, payload
from .errors import ConflictError, make

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
StrPath = Union[str, os.PathLike[str]]
PolicyText = Literal["retry", "once"]

#: How long a worker that may be stopped waits for a task before it looks again.
WAIT_MS = 500


def undecided(name: str, token: str | None) -> ConflictError:
    """The error for a step that was cut short and must not run again by itself."""
    error = make(
        "session.unknown",
        f"step `{name}` was cut short and has policy `once`: nobody knows whether its effect "
        "happened; find out, then call finish with the token of begin",
        op="session.begin",
        context={"step": name, "token": token or ""},
    )
    assert isinstance(error, ConflictError)
    return error


def settled(value: Any) -> Any:
    """The value as a later run will read it: the first run must not see another one."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    wire = payload(value, "result", "session.finish")
    if "bytes" in wire:
        return as_payload(value).value
    return decode(encode("session.finish", wire))["json"]


def recorded(start: StepStart) -> Any:
    """The result of a step that is done."""
    return None if start.result is None else start.result.value


class SessionSugar(Owner):
    """Steps as functions."""

    __slots__ = ()

    if TYPE_CHECKING:

        def begin(
            self,
            name: str,
            *,
            key: str | None = None,
            args: Any = None,
            policy: StepPolicy | PolicyText = StepPolicy.RETRY,
        ) -> StepStart: ...

        def finish(
            self,
            token: str,
            result: Any = None,
            *,
            failure: Failure | BaseException | None = None,
        ) -> StepFinished: ...

    def step(
        self,
        name: str,
        fn: Callable[[], T],
        *,
        key: str | None = None,
        args: Any = None,
        policy: StepPolicy | PolicyText = StepPolicy.RETRY,
    ) -> T:
        """Runs `fn` once for this step of the session; later runs get the recorded result.

        The result is what JSON can hold, or bytes; tuples come back as lists. An exception is
        recorded as the step's failure and raised again; the step then runs again next time.

        Args:
            name: The step's name. Steps are matched by name and occurrence.
            fn: What to do; called without arguments.
            key: Matches the step by this key instead of its occurrence.
            args: What the step depends on; another value at the same place is
                `session.diverged`.
            policy: `retry` runs a step that was cut short again; `once` never does, and raises
                `ConflictError` (code `session.unknown`) for you to decide.
        """
        start = self.begin(name, key=key, args=args, policy=policy)
        if start.state is StepState.DONE:
            result: T = recorded(start)
            return result
        if start.state is StepState.UNKNOWN or start.token is None:
            raise undecided(name, start.token)
        try:
            value = fn()
            result = settled(value)
        except Exception as error:
            # Anything else (Ctrl-C, exit) leaves the step as a crash would.
            self.finish(start.token, failure=error)
            raise
        self.finish(start.token, value)
        return result


class WorkerSugar(Owner):
    """Handlers of tasks, and the loop that runs them."""

    __slots__ = ("_handlers", "_stopped")

    def __init__(self, handle: Handle) -> None:
        super().__init__(handle)
        self._handlers: dict[str, Callable[[Any], Any]] = {}
        self._stopped = threading.Event()

    if TYPE_CHECKING:

        def next(self, max: int = 1, wait_ms: int = 0) -> TaskBatch: ...
        def complete(self, tasks: list[TaskResult]) -> TaskReport: ...
        def fail(self, tasks: list[TaskFailure]) -> TaskReport: ...

    def task(self, name: str) -> Callable[[F], F]:
        """Registers a function as the handler of tasks of this name.

        The function gets the task's payload: a JSON value or bytes; what it returns is the
        task's result, what it raises its failure.
        """

        def register(handler: F) -> F:
            self._handlers[name] = handler
            return handler

        return register

    def stop(self) -> None:
        """Makes `run` return after the batch at hand; may be called from any thread."""
        self._stopped.set()

    def run(
        self,
        *,
        max_tasks: int | None = None,
        stop: threading.Event | Callable[[], bool] | None = None,
        batch: int = 1,
        idle_ms: int | None = None,
    ) -> int:
        """Takes tasks and runs their handlers until told to stop; how many were run.

        Args:
            max_tasks: Return after this many tasks.
            stop: Return once this event is set, or this function says so.
            batch: Claim and report up to this many tasks at a time.
            idle_ms: Return when no task came for this long; None waits for ever.
        """
        asked = stop.is_set if isinstance(stop, threading.Event) else stop
        self._stopped.clear()
        ran = 0
        idle_since = time.monotonic()
        while not self._stopped.is_set() and not (asked is not None and asked()):
            room = batch if max_tasks is None else min(batch, max_tasks - ran)
            if room <= 0:
                break
            wait = WAIT_MS
            if idle_ms is not None:
                left = idle_ms - int((time.monotonic() - idle_since) * 1000)
                if left < 0:
                    break
                wait = min(wait, left)
            tasks = self.next(room, wait).tasks
            if not tasks:
                if idle_ms is not None and wait <= 0:
                    break
                continue
            self._run_batch(tasks)
            ran += len(tasks)
            idle_since = time.monotonic()
        return ran

    def _run_batch(self, tasks: list[ClaimedTask]) -> None:
        done: list[TaskResult] = []
        failed: list[TaskFailure] = []
        try:
            for task in tasks:
                handler = self._handlers.get(task.name)
                if handler is None:
                    failed.append(no_handler(task))
                    continue
                try:
                    value = handler(task.payload.value)
                    payload(value, "result", "worker.complete")
                except Exception as error:
                    failed.append(task_failure(task, error))
                else:
                    done.append(TaskResult(task.id, value))
        finally:
            # Also on Ctrl-C: what is done stays done.
            if done:
                self.complete(done)
            if failed:
                self.fail(failed)


def task_failure(task: ClaimedTask, error: BaseException) -> TaskFailure:
    """The report of a task whose handler raised."""
    return TaskFailure(task.id, Failure.from_wire(describe(error)))


def no_handler(task: ClaimedTask) -> TaskFailure:
    """The report of a task that this worker has no handler for; another one may."""
    message = f"this worker has no handler for tasks of the name `{task.name}`"
    return TaskFailure(task.id, Failure(message, "LookupError"))


class EventStreamSugar(Owner):
    """Events one by one."""

    __slots__ = ("cursor",)

    #: The `seq` of the last durable event that iteration gave out; open with `after` to go on.
    cursor: int

    def __init__(self, handle: Handle) -> None:
        super().__init__(handle)
        self.cursor = 0

    if TYPE_CHECKING:

        def next(self, max: int = 100, wait_ms: int = 0) -> EventPage: ...

    def __iter__(self) -> Iterator[Event]:
        """Every event; with `follow` it waits for new ones and ends when the stream is closed."""
        while True:
            page = self.next(100, WAIT_MS)
            for event in page.events:
                if event.seq:
                    self.cursor = event.seq
                yield event
            if page.ended:
                return
