"""Every error of Barograph: one base class, one class for each kind.

Catch `barograph.Error` for all of them, a class for one kind, or look at `code` for one cause.
"""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ._records_gen import Kind


class Error(Exception):
    """What failed, then what to do; the base of every error of this package."""

    #: The kind that the class stands for.
    _kind: Kind = Kind.INTERNAL

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "bug.panic",
        op: str = "",
        retryable: bool = False,
        context: Mapping[str, str] | None = None,
        causes: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        #: What failed, then what to do.
        self.message: str = message
        #: The dotted code, for example `session.missing`.
        self.code: str = code
        #: The operation that failed as `noun.verb`; empty outside an operation.
        self.op: str = op
        #: Whether the same call may succeed later without a change by the caller.
        self.retryable: bool = retryable
        #: Names and values that place the error: paths, ids, limits.
        self.context: dict[str, str] = dict(context or {})
        #: The chain of causes as text, nearest first.
        self.causes: list[str] = list(causes)

    @property
    def kind(self) -> Kind:
        """The class of the error, as every language names it."""
        return self._kind

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def __repr__(self) -> str:
        op = f", op={self.op!r}" if self.op else ""
        return f"{type(self).__name__}({self.message!r}, code={self.code!r}{op})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (from_record, (self.to_wire(),))

    def to_wire(self) -> dict[str, Any]:
        """The error's JSON form, as every language writes it."""
        return {
            "kind": self.kind.value,
            "code": self.code,
            "message": self.message,
            "op": self.op,
            "retryable": self.retryable,
            "context": self.context,
            "causes": self.causes,
        }


class InvalidInputError(Error, ValueError):
    """The caller passed something that cannot be used; the message names it."""

    _kind = Kind.INVALID_INPUT


class ArgumentTypeError(InvalidInputError, TypeError):
    """An argument has the wrong type (code `args.type`)."""


class NotFoundError(Error, LookupError):
    """The thing named does not exist."""

    _kind = Kind.NOT_FOUND


class AlreadyExistsError(Error):
    """The thing to be made exists already."""

    _kind = Kind.ALREADY_EXISTS


class ConflictError(Error):
    """Another owner or another history stands in the way."""

    _kind = Kind.CONFLICT


class TimeoutError(Error, builtins.TimeoutError):
    """A limit of time ran out."""

    _kind = Kind.TIMEOUT


class CancelledError(Error):
    """The caller cancelled the call; a cancelled task gets `asyncio.CancelledError` instead."""

    _kind = Kind.CANCELLED


class ExhaustedError(Error):
    """A limit of size, count or attempts was reached."""

    _kind = Kind.EXHAUSTED


class FailedError(Error):
    """A task or step of the caller's own failed."""

    _kind = Kind.FAILED


class CorruptError(Error):
    """Stored data is damaged or is not what it claims to be."""

    _kind = Kind.CORRUPT


class UnavailableError(Error, ConnectionError):
    """Something outside is out of reach for now."""

    _kind = Kind.UNAVAILABLE


class UnsupportedError(Error, NotImplementedError):
    """This build, platform or process cannot do it."""

    _kind = Kind.UNSUPPORTED


class ClosedError(Error):
    """The handle was closed before."""

    _kind = Kind.CLOSED


class InternalError(Error):
    """A defect of this library."""

    _kind = Kind.INTERNAL


#: The class of every kind.
CLASSES: dict[str, type[Error]] = {
    found._kind.value: found
    for found in (
        InvalidInputError,
        NotFoundError,
        AlreadyExistsError,
        ConflictError,
        TimeoutError,
        CancelledError,
        ExhaustedError,
        FailedError,
        CorruptError,
        UnavailableError,
        UnsupportedError,
        ClosedError,
        InternalError,
    )
}

#: The kind of every code that this package raises by itself.
_OWN = {
    "args.type": InvalidInputError,
    "args.invalid": InvalidInputError,
    "value.not_i_json": InvalidInputError,
    "handle.closed": ClosedError,
    "session.unknown": ConflictError,
    "task.raised": FailedError,
}


def from_record(record: Mapping[str, Any]) -> Error:
    """The exception for an error's JSON form."""
    code = record["code"]
    found = CLASSES.get(record["kind"], InternalError)
    if code == "args.type":
        found = ArgumentTypeError
    return found(
        record["message"],
        code=code,
        op=record.get("op", ""),
        retryable=record.get("retryable", False),
        context=record.get("context"),
        causes=record.get("causes", ()),
    )


def from_wire(text: str) -> Error:
    """The exception for an error's JSON text."""
    return from_record(json.loads(text))


def make(
    code: str, message: str, *, op: str = "", context: Mapping[str, str] | None = None
) -> Error:
    """An error that this package raises by itself."""
    found = _OWN[code]
    if code == "args.type":
        found = ArgumentTypeError
    return found(message, code=code, op=op, context=context)


__all__ = [
    "AlreadyExistsError",
    "ArgumentTypeError",
    "CancelledError",
    "ClosedError",
    "ConflictError",
    "CorruptError",
    "Error",
    "ExhaustedError",
    "FailedError",
    "InternalError",
    "InvalidInputError",
    "NotFoundError",
    "TimeoutError",
    "UnavailableError",
    "UnsupportedError",
]
