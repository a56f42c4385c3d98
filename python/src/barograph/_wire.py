"""How Python values become the JSON of the wire, and what every record shares."""

from __future__ import annotations

import json
import os
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from enum import Enum
from typing import Any, TypeVar

from ._record import Record

A = TypeVar("A")
B = TypeVar("B")

#: The largest integer that every language can read (RFC 7493).
LIMIT = 2**53 - 1


class TextEnum(str, Enum):
    """An enumeration whose members are the texts of the wire."""

    def __str__(self) -> str:
        return str(self.value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"


def optional(make: Callable[[A], B], value: A | None) -> B | None:
    """What `make` makes of a value that may be absent."""
    return None if value is None else make(value)


def milliseconds(value: int | timedelta) -> int:
    """A duration as the wire has it: whole milliseconds."""
    if isinstance(value, timedelta):
        return round(value / timedelta(milliseconds=1))
    return value


def span(
    name: str,
    ms: int | timedelta | None,
    given: timedelta | None,
    op: str,
    *,
    default: int | None = None,
    needed: bool = False,
) -> int | None:
    """A duration that is given as a `timedelta` or as milliseconds: whole milliseconds."""
    if given is None:
        if ms is None and needed:
            raise _refused(
                "args.invalid", f"`{name}` is missing; pass it as a timedelta, or `{name}_ms`", op
            )
        return None if ms is None else milliseconds(ms)
    if not isinstance(given, timedelta):
        kind = type(given).__name__
        raise _refused(
            "args.type",
            f"`{name}` is of type {kind}; pass a timedelta, or milliseconds as `{name}_ms`",
            op,
        )
    if ms is not None and ms != default:
        text = f"both `{name}` and `{name}_ms` are given; pass one of them"
        raise _refused("args.invalid", text, op)
    return milliseconds(given)


def base64(value: bytes | bytearray | memoryview) -> str:
    """Bytes as the wire has them."""
    return b2a_base64(value, newline=False).decode("ascii")


def record(value: Any, op: str = "") -> Any:
    """A record's JSON form; anything else is left for the library to refuse."""
    if not isinstance(value, Record):
        return value
    try:
        return value.to_wire()
    except Exception as error:
        if op and getattr(error, "op", None) == "":
            setattr(error, "op", op)
        raise


def records(value: Any, op: str = "") -> Any:
    """Records' JSON forms; anything else is left for the library to refuse."""
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        return record(value, op)
    return [record(item, op) for item in value]


def failure(value: Any) -> Any:
    """A failure's JSON form, out of an exception too."""
    if isinstance(value, BaseException):
        return describe(value)
    return record(value)


def describe(error: BaseException) -> dict[str, Any]:
    """An exception as a failure: its type, its text, and the chain of its causes."""
    causes: list[str] = []
    seen = {id(error)}
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    while cause is not None and id(cause) not in seen and len(causes) < 16:
        seen.add(id(cause))
        causes.append(f"{type(cause).__name__}: {cause}")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    name = type(error).__name__
    return {"message": str(error) or name, "kind": name, "causes": causes}


def payload(value: Any, what: str, op: str = "") -> Any:
    """A host's value as a payload: bytes as bytes, all else as JSON."""
    from ._records_gen import Payload

    if isinstance(value, Payload):
        json_value(value.json, what, op)
        return value.to_wire()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"json": None, "bytes": base64(value)}
    return {"json": json_value(value, what, op)}


def optional_payload(value: Any, what: str, op: str = "") -> Any:
    """The same for a value that may be absent."""
    return None if value is None else payload(value, what, op)


def payloads(value: Any, what: str, op: str = "") -> Any:
    """The same for a list of values; anything else is left for the library to refuse."""
    if isinstance(value, (str, bytes, bytearray, memoryview, Mapping)):
        return value
    if not isinstance(value, Iterable):
        return value
    return [payload(item, f"{what}[{at}]", op) for at, item in enumerate(value)]


def value(wire: Any) -> Any:
    """A payload's JSON form as the value that was passed; None where there is none.

    Bytes that were given a media type come back with it, as the `Payload` that was passed.
    """
    if wire is None:
        return None
    found = wire.get("bytes")
    if found is None:
        return wire.get("json")
    if wire.get("media_type") is not None:
        from ._records_gen import Payload

        return Payload.from_wire(wire)
    return a2b_base64(found)


def json_value(value: Any, what: str, op: str = "") -> Any:
    """The value itself where it is I-JSON (RFC 7493); else an error that names the place."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        if -LIMIT <= value <= LIMIT:
            return value
        raise _refused(
            "value.not_i_json",
            f"`{what}` holds the integer {value if abs(value) < 10**40 else 'of many digits'}, "
            "which not every language can read; pass it as text",
            op,
        )
    if kind is float:
        if value - value == 0.0:
            return value
        raise _refused("value.not_i_json", f"`{what}` is {value}, which JSON cannot hold", op)
    try:
        if isinstance(value, dict):
            for key, item in value.items():
                if not isinstance(key, str):
                    raise _refused(
                        "value.not_i_json",
                        f"`{what}` has the key {key!r}; keys must be text, or a value read back "
                        "would differ",
                        op,
                    )
                json_value(item, f"{what}.{key}", op)
            return value
        if isinstance(value, (list, tuple)):
            for at, item in enumerate(value):
                json_value(item, f"{what}[{at}]", op)
            return value
    except RecursionError:
        text = f"`{what.split('.')[0][:80]}` is nested too deeply"
        raise _refused("value.not_i_json", text, op) from None
    if isinstance(value, (str, int, float)):
        # A subclass, for example a member of an enumeration: JSON keeps its plain value.
        return value
    raise _refused(
        "args.type",
        f"`{what[:80]}` is of type {kind.__name__}, which JSON cannot hold; "
        "pass text, numbers, lists, dicts, or bytes as the whole value",
        op,
    )


def _refused(code: str, message: str, op: str) -> Exception:
    from .errors import make

    return make(code, message, op=op)


def _default(value: Any) -> Any:
    """What the JSON encoder does not know: paths, mappings, sequences, integers of other makers."""
    if isinstance(value, Record):
        return value.to_wire()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "__index__"):
        return value.__index__()
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray, memoryview)):
        return list(value)
    raise TypeError(f"a value of type {type(value).__name__} cannot be passed")


def _writer() -> Callable[[Any], str]:
    """What writes a value as JSON; made once, as `json` itself makes an encoder for every call."""
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return json.JSONEncoder(
            ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_default
        ).encode
    text = json.encoder.encode_basestring
    # Without marks for what is under way: one encoder serves every thread, and what holds itself
    # is a RecursionError.
    parts = make(None, _default, text, None, ":", ",", False, False, False)
    join = "".join
    return lambda value: join(parts(value, 0))


_encode = _writer()
_decoder: Any = json.JSONDecoder()
_scan: Callable[[str, int], tuple[Any, int]] = _decoder.scan_once


def encode(op: str, args: dict[str, Any]) -> str:
    """Arguments as JSON; what cannot be written is the caller's mistake and named."""
    try:
        return _encode(args)
    except TypeError as error:
        raise _refused("args.type", f"{_culprit(args)}{error}", op) from None
    except (ValueError, RecursionError) as error:
        raise _refused("value.not_i_json", f"{_culprit(args)}{error}", op) from None


def _culprit(args: dict[str, Any]) -> str:
    """The name of the argument that cannot be written."""
    for name, value in args.items():
        try:
            _encode(value)
        except (TypeError, ValueError, RecursionError):
            return f"`{name}`: "
    return ""


def decode(text: str) -> Any:
    """The value of a JSON text of the library, which has no white space around it."""
    return _scan(text, 0)[0]
