"""What happens when the package is used in a wrong way: a clear error, and nothing else."""

from __future__ import annotations

import copy
import datetime
import os
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import barograph
from barograph import _barograph


@pytest.fixture
def ws() -> Iterator[Any]:
    with barograph.open(in_memory=True) as ws:
        yield ws


def test_an_unknown_option_is_a_type_error_of_python(ws: Any) -> None:
    with pytest.raises(TypeError, match="rang"):
        ws.risk.change(rang="HEAD")
    with pytest.raises(TypeError):
        ws.risk.change("HEAD", "someone@example.com")


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda ws: ws.session.list(limit="many"), "limit"),
        (lambda ws: ws.session.list(labels=[1]), "labels"),
        (lambda ws: ws.session("x", resume="yes"), "resume"),
        (lambda ws: ws.session(5), "id"),
        (lambda ws: ws.queue.enqueue("q", 5), "tasks"),
        (lambda ws: ws.queue.enqueue("q", [{"name": 5}]), "tasks[0].name"),
        (lambda ws: ws.risk.change(author=object()), "author"),
        (lambda ws: ws.risk.change(b"HEAD"), "range"),
        (lambda ws: ws.queue.enqueue("q", [barograph.NewTask("a", payload={1, 2})]), "payload"),
    ],
)
def test_a_wrong_type_names_the_argument(ws: Any, call: Any, name: str) -> None:
    with pytest.raises(TypeError) as caught:
        call(ws)
    assert isinstance(caught.value, barograph.InvalidInputError)
    assert caught.value.code == "args.type"
    assert caught.value.op
    assert name in caught.value.message


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 2**53, -(2**70), 10**5000, {1: 2}, [[{"a": [2**60]}]], "\ud800"],
    ids=["nan", "inf", "2^53", "-2^70", "10^5000", "key", "deep", "surrogate"],
)
def test_values_outside_of_json_are_refused_before_anything_is_written(ws: Any, value: Any) -> None:
    task = barograph.NewTask("a", payload=value)
    with pytest.raises(barograph.InvalidInputError) as caught:
        ws.queue.enqueue("q", [barograph.NewTask("b"), task])
    assert caught.value.code == "value.not_i_json"
    assert caught.value.op == "queue.enqueue"
    assert ws.queue.show("q").waiting == 0


def test_endless_values_are_refused(ws: Any) -> None:
    circle: list[Any] = []
    circle.append(circle)
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    for value in (circle, deep):
        with pytest.raises(barograph.InvalidInputError):
            ws.queue.enqueue("q", [barograph.NewTask("a", payload=value)])
        with pytest.raises(barograph.InvalidInputError):
            ws.risk.change(value)
    # Taken apart by hand, or its end would be a deep recursion of the interpreter.
    while deep:
        deep = deep.pop()


def test_a_wrong_text_names_the_nearest_one(ws: Any) -> None:
    with ws.session("s") as session, pytest.raises(barograph.InvalidInputError, match="once"):
        session.begin("a", policy="onse")


def test_a_closed_handle_says_so(ws: Any) -> None:
    session = ws.session("s")
    session.close()
    session.close()
    with pytest.raises(barograph.ClosedError) as caught:
        session.begin("a")
    assert caught.value.op == "session.begin"


def test_a_call_on_the_wrong_handle_is_refused(ws: Any) -> None:
    with pytest.raises(barograph.Error) as caught:
        barograph.Session(ws._handle).begin("a")
    assert caught.value.code == "call.unknown"


@pytest.mark.parametrize("send", [pickle.dumps, copy.deepcopy])
def test_handles_are_not_sent_to_other_processes(ws: Any, send: Any) -> None:
    for handle in (ws, ws.risk):
        with pytest.raises(TypeError, match="process"):
            send(handle)


def test_native_classes_cannot_be_made_up() -> None:
    for found in (_barograph.Handle, _barograph.Columns):
        with pytest.raises(TypeError):
            found()
    with pytest.raises(TypeError):
        _barograph.call(_barograph.ROOT, 5, "{}")  # type: ignore[arg-type]
    with pytest.raises(barograph.InvalidInputError):
        _barograph.call(_barograph.ROOT, "workspace.open", "{")
    with pytest.raises(barograph.InvalidInputError, match=r"risk\.change"):
        _barograph.call(_barograph.ROOT, "risk.chance", "{}")


def test_paths_and_durations_have_their_own_types(tmp_path: Path) -> None:
    with barograph.open(tmp_path, store=tmp_path / "s.db") as ws:
        assert ws.info().store == os.fspath(tmp_path / "s.db")
        with ws.worker("q", lease_ms=datetime.timedelta(seconds=5)) as worker:
            assert worker.next(1, datetime.timedelta(milliseconds=1)).tasks == []


def test_a_handle_serves_many_threads(ws: Any) -> None:
    seen: list[str] = []

    def ask() -> None:
        seen.extend(ws.info().version for _ in range(50))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [barograph.__version__] * 400


def test_a_cancel_token_ends_calls_of_another_thread(ws: Any) -> None:
    token = barograph.CancelToken()
    threading.Timer(0.1, token.cancel).start()
    with ws.worker("q") as worker, token, pytest.raises(barograph.CancelledError):
        worker.next(1, 60_000)
    assert ws.info().version == barograph.__version__
