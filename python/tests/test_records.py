"""Records: what they hold, how they print, how they become JSON."""

from __future__ import annotations

import dataclasses
import datetime
import pickle
from typing import Any

import pytest

import barograph
from barograph import _records_gen as records
from barograph import _wire


def sample(kind: Any) -> Any:
    """A value for a field, out of its annotation."""
    text = str(kind)
    for plain, value in (("bool", True), ("int", 7), ("float", 0.5), ("str", "text"), ("_B", b"x")):
        if text.startswith(plain):
            return value
    if text.startswith("list"):
        return [sample(text[5:-1])] * 5
    if text.startswith("dict"):
        return {"key": "value"}
    if text == "Any":
        return {"json": [1, 2]}
    found = getattr(records, text.removesuffix(" | None"))
    if issubclass(found, _wire.TextEnum):
        return next(iter(found))
    return make(found)


def make(found: Any) -> Any:
    return found(*(sample(field.type) for field in dataclasses.fields(found)))


ALL = [
    found
    for name in records.__all__
    if dataclasses.is_dataclass(found := getattr(records, name)) and isinstance(found, type)
]


@pytest.mark.parametrize("found", ALL, ids=lambda found: found.__name__)
def test_every_record_survives_the_round_trip(found: Any) -> None:
    value = make(found)
    back = found.from_wire(value.to_wire())
    assert back.to_wire() == value.to_wire()
    assert pickle.loads(pickle.dumps(value)) == value
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, dataclasses.fields(found)[0].name, 1)


@pytest.mark.parametrize("found", ALL, ids=lambda found: found.__name__)
def test_every_record_prints_on_three_lines(found: Any) -> None:
    text = repr(make(found))
    assert text.startswith(found.__name__ + "(")
    assert text.endswith(")")
    lines = text.split("\n")
    assert len(lines) <= 3
    assert all(len(line) <= 110 for line in lines)


def test_a_long_list_is_counted() -> None:
    table = barograph.FeatureTable([], barograph.HistorySpan(3, False, 0))
    assert repr(table) == "FeatureTable(rows=[], history=HistorySpan(...))"
    page = barograph.TaskReport(1, ["a"] * 900)
    assert repr(page) == "TaskReport(accepted=1, refused=[900 items])"


def test_defaults_are_those_of_the_library() -> None:
    task = barograph.NewTask("a")
    assert (task.max_attempts, task.priority, task.delay_ms, task.key) == (3, 0, 0, None)
    assert barograph.Failure("m").causes == []
    assert barograph.Failure("m").to_wire() == {"message": "m", "causes": []}
    assert (
        barograph.NewTask("a", delay_ms=datetime.timedelta(minutes=1)).to_wire()["delay_ms"]
        == 60_000
    )


def test_a_payload_is_json_or_bytes() -> None:
    assert barograph.Payload({"a": 1}).value == {"a": 1}
    blob = barograph.Payload(bytes=b"\0\xff", media_type="image/png")
    assert blob.value == b"\0\xff"
    assert blob.to_wire() == {"json": None, "bytes": "AP8=", "media_type": "image/png"}
    assert barograph.Payload.from_wire(blob.to_wire()) == blob


def test_a_failure_names_its_causes() -> None:
    try:
        try:
            raise OSError("disk on fire")
        except OSError as error:
            raise ValueError("no result") from error
    except ValueError as error:
        described = _wire.failure(error)
    assert described == {
        "message": "no result",
        "kind": "ValueError",
        "causes": ["OSError: disk on fire"],
    }
