"""What the blocking classes add: steps, claimed sessions, task handlers, iteration."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union

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
from ._runtime import Noun, Owner
from ._wire import decode, describe, encode, json_value, payload, span, value
from .errors import ConflictError, make

if TYPE_CHECKING:
    from ._nouns_gen import Session
    from ._runs import SessionRun

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
StrPath = Union[str, os.PathLike[str]]
PolicyText = Literal["retry", "once"]

#: How long a loop that may be stopped waits for work before it looks again.
WAIT_MS = 500


class Patience:
    """How long a loop waits for work: until it is told to stop, or none came for long enough."""

    __slots__ = ("_asked", "_idle_ms", "_since", "_stop")

    def __init__(self, idle_ms: int | None, stop: Callable[[], bool] | None) -> None:
        self._idle_ms = idle_ms
        self._stop = stop
        self.renew()

    def renew(self) -> None:
        """Work has come: counts anew."""
        self._since = time.monotonic()
        self._asked = False

    def wait_ms(self) -> int | None:
        """How long to wait now; None once it is over."""
        if self._stop is not None and self._stop():
            return None
        if self._idle_ms is None:
            return WAIT_MS
        left = self._idle_ms - int((time.monotonic() - self._since) * 1000)
        if left <= 0 and self._asked:
            return None
        self._asked = True
        return min(WAIT_MS, max(left, 0))


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


def beginning(name: str, key: str | None, args: Any, policy: StepPolicy | PolicyText) -> str:
    """What `session.begin` is told."""
    given = json_value(args, "args", "session.begin")
    return encode("session.begin", {"name": name, "key": key, "args": given, "policy": policy})


def settled(token: str, result: Any) -> tuple[str, Any]:
    """What `session.finish` is told, and the result as a later run will read it.

    The first run must not see another value than that.
    """
    wire = payload(result, "result", "session.finish")
    text = encode("session.finish", {"token": token, "result": wire})
    return text, result if type(result) in _PLAIN else value(decode(text)["result"])


#: Types whose values JSON gives back as they are.
_PLAIN = frozenset([bool, float, int, str, type(None)])


class SessionNounSugar(Noun):
    """Sessions that others submitted, one by one."""

    __slots__ = ()

    if TYPE_CHECKING:

        def claim(
            self,
            max: int = 1,
            wait_ms: int | timedelta = 0,
            *,
            labels: Mapping[str, str] | None = None,
        ) -> SessionBatch: ...

        def open(self, id: str, *, resume: bool = False) -> Session: ...

    def claimed(
        self,
        *,
        labels: Mapping[str, str] | None = None,
        stop: threading.Event | Callable[[], bool] | None = None,
        idle_ms: int | None = None,
        idle: timedelta | None = None,
    ) -> Iterator[SessionRun]:
        """Claims sessions, waiting for them, and gives each out open, with its input.

            for s in ws.session.claimed():
                s.complete(s.step("build", lambda: build(s.input)))

        Each is closed when the loop goes on or is left, also by an exception. What was not
        completed then is claimed again, at once or when the signal or time that it waits for
        is there. Several loops, threads and processes share the work.

        Args:
            labels: Only sessions that carry all of these labels.
            stop: End once this event is set, or this function says so.
            idle_ms: End when no session came for this long; None waits for ever.
            idle: The same as `idle_ms`, as a `timedelta`.
        """
        from ._runs import SessionRun

        asked = stop.is_set if isinstance(stop, threading.Event) else stop
        patience = Patience(span("idle", idle_ms, idle, "session.claim"), asked)
        while (wait := patience.wait_ms()) is not None:
            for claimed in self.claim(1, wait, labels=labels).sessions:
                with SessionRun(self.open(claimed.id, resume=True), claimed) as run:
                    yield run
                patience.renew()


class SessionSugar(Owner):
    """Steps as functions."""

    __slots__ = ()

    if TYPE_CHECKING:

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
        start = decode(self._send("session.begin", beginning(name, key, args, policy)))
        if start["state"] == "done":
            result: T = value(start["result"])
            return result
        if start["state"] != "run":
            raise undecided(name, start["token"])
        try:
            text, result = settled(start["token"], fn())
        except Exception as error:
            # Anything else (Ctrl-C, exit) leaves the step as a crash would.
            self.finish(start["token"], failure=error)
            raise
        self._send("session.finish", text)
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
        idle: timedelta | None = None,
    ) -> int:
        """Takes tasks and runs their handlers until told to stop; how many were run.

        Args:
            max_tasks: Return after this many tasks.
            stop: Return once this event is set, or this function says so.
            batch: Claim and report up to this many tasks at a time.
            idle_ms: Return when no task came for this long; None waits for ever.
            idle: The same as `idle_ms`, as a `timedelta`.
        """
        asked = stop.is_set if isinstance(stop, threading.Event) else stop
        self._stopped.clear()
        patience = Patience(span("idle", idle_ms, idle, "worker.next"), asked)
        ran = 0
        while not self._stopped.is_set() and (wait := patience.wait_ms()) is not None:
            room = batch if max_tasks is None else min(batch, max_tasks - ran)
            if room <= 0:
                break
            tasks = self.next(room, wait).tasks
            if tasks:
                self._run_batch(tasks)
                ran += len(tasks)
                patience.renew()
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
                    made = handler(task.payload)
                    payload(made, "result", "worker.complete")
                except Exception as error:
                    failed.append(task_failure(task, error))
                else:
                    done.append(TaskResult(task.id, made))
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
