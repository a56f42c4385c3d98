"""Every error is a `barograph.Error` and, where Python has a class for it, that one too."""

from __future__ import annotations

import builtins
import pickle

import pytest

import barograph
from barograph import Kind, errors

BUILTINS: dict[str, type[BaseException]] = {
    "invalid_input": ValueError,
    "not_found": LookupError,
    "timeout": builtins.TimeoutError,
    "unavailable": ConnectionError,
    "unsupported": NotImplementedError,
}


def record(kind: str, code: str = "x.y") -> dict[str, object]:
    return {
        "kind": kind,
        "code": code,
        "message": "what failed; what to do",
        "op": "risk.change",
        "retryable": True,
        "context": {"path": "/x"},
        "causes": ["disk on fire"],
    }


@pytest.mark.parametrize("kind", [kind.value for kind in Kind])
def test_every_kind_is_caught_by_the_base(kind: str) -> None:
    with pytest.raises(barograph.Error) as caught:
        raise errors.from_record(record(kind))
    error = caught.value
    assert type(error) is errors.CLASSES[kind]
    assert error.to_wire() == record(kind)
    assert error.kind is Kind(kind)
    assert str(error) == "x.y: what failed; what to do"
    assert "op='risk.change'" in repr(error)
    found = BUILTINS.get(kind)
    if found is not None:
        assert isinstance(error, found)
    for other in {ValueError, LookupError, OSError, NotImplementedError, TypeError}:
        if found is None:
            assert not isinstance(error, other)


def test_a_wrong_type_is_a_type_error_too() -> None:
    error = errors.from_record(record("invalid_input", "args.type"))
    assert isinstance(error, TypeError)
    assert isinstance(error, barograph.InvalidInputError)
    assert not isinstance(errors.from_record(record("invalid_input")), TypeError)


@pytest.mark.parametrize("kind", [kind.value for kind in Kind])
def test_errors_survive_pickling(kind: str) -> None:
    error = errors.from_record(record(kind))
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert back.to_wire() == error.to_wire()


def test_the_library_raises_them(tmp_path: object) -> None:
    with pytest.raises(LookupError) as caught:
        barograph.open("/no/such/folder")
    error = caught.value
    assert isinstance(error, barograph.NotFoundError)
    assert (error.code, error.op) == ("git.not_a_repository", "workspace.open")
    assert error.context == {"path": "/no/such/folder"}
