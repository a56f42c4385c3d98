"""What every record shares: construction by name, equality, `repr`, and no change afterwards.

Records are dataclasses to those who ask (`dataclasses.fields`, `replace`, `asdict`), but `dataclass` itself
would compile code for each of them at every import.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import Field

    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: object) -> Callable[[type], type]:
        """What type checkers know by this name, which Python 3.10 does not."""
        return lambda found: found


#: How many columns a line of a record's `repr` has.
WIDTH = 96


class _Fields:
    """`__dataclass_fields__` of a record, made when somebody asks for it."""

    def __get__(self, _: object, record: type[Record]) -> dict[str, Field[Any]]:
        import dataclasses
        import inspect

        parameters = inspect.signature(record).parameters
        made = []
        for name in record.__slots__:
            default = parameters[name].default
            spec: Any = dataclasses.field()
            if default is None and "| None" not in record.__annotations__[name]:
                spec = dataclasses.field(default_factory=_FACTORIES[record.__annotations__[name][:4]])
            elif default is not inspect.Parameter.empty:
                spec = dataclasses.field(default=default)
            made.append((name, record.__annotations__[name], spec))
        twin: Any = dataclasses.make_dataclass(record.__name__, made)
        fields: dict[str, Field[Any]] = twin.__dataclass_fields__
        setattr(record, "__dataclass_fields__", fields)
        return fields


_FACTORIES: dict[str, Any] = {"list": list, "dict": dict, "Any": lambda: None}


@dataclass_transform(frozen_default=True)
class Record:
    """Plain data that the library takes or answers with."""

    __slots__: tuple[str, ...] = ()
    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    else:
        __dataclass_fields__ = _Fields()

    def __init_subclass__(cls) -> None:
        setattr(cls, "__match_args__", cls.__slots__)

    def to_wire(self) -> dict[str, Any]:
        """The record's JSON form, as every language writes it."""
        raise NotImplementedError

    def _values(self) -> tuple[Any, ...]:
        return tuple([getattr(self, name) for name in self.__slots__])

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        return _three_lines(self)

    def __setattr__(self, name: str, _: object) -> NoReturn:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), self._values())


def _short(value: Any) -> str:
    """A value in a few letters: what it is, and how much of it there is."""
    if isinstance(value, list):
        if len(value) <= 3 and all(isinstance(item, (int, float)) for item in value):
            return repr(value)
        return f"[{len(value)} items]" if value else "[]"
    if isinstance(value, Record):
        return f"{type(value).__name__}(...)"
    if isinstance(value, Enum):
        return repr(value.value)
    if isinstance(value, float):
        return f"{value:.6g}"
    text = repr(value)
    return text if len(text) <= 48 else text[:44] + "..." + text[-1]


def _three_lines(record: Record) -> str:
    """The record's name and the fields that say most, on at most three lines."""
    pairs = [(name, getattr(record, name)) for name in record.__slots__]
    # What is absent says least; single values say more than lists and records of their own.
    telling = [pair for pair in pairs if pair[1] is not None]
    telling.sort(key=lambda pair: isinstance(pair[1], (list, dict, Record)))
    lines: list[str] = []
    line = type(record).__name__ + "("
    left = len(telling)
    for name, value in telling:
        part = f"{name}={_short(value)}" + (", " if left > 1 else "")
        if len(line) + len(part) > WIDTH:
            if len(lines) == 2:
                # Every line ends in ", ", which the count replaces.
                return "\n".join([*lines, line.rstrip()]) + f" +{left} more)"
            lines.append(line.rstrip())
            line = "    "
        line += part
        left -= 1
    return "\n".join([*lines, line]) + ")"
