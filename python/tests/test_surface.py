"""The package exports what `api.manifest` says: every operation, record, field and error."""

from __future__ import annotations

import dataclasses
import enum
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import barograph
from barograph import _barograph, aio

LINES = [
    line.split()
    for line in (Path(__file__).resolve().parents[2] / "api.manifest").read_text().splitlines()
]
OPERATIONS = {words[1]: (words[2], words[4]) for words in LINES if words[0] == "operation"}
FIELDS: dict[str, set[str]] = {words[1]: set() for words in LINES if words[0] == "record"}
for _words in LINES:
    if _words[0] == "field":
        FIELDS[_words[1].split(".")[0]].add(_words[1].split(".")[1])
CLASSES = {words[1] for words in LINES if words[0] == "class"}
ENUMS = {words[1] for words in LINES if words[0] == "enum"}
ARGUMENTS = {args for args, _ in OPERATIONS.values()}


def methods(module: Any) -> Iterator[tuple[str, Any]]:
    """Every public operation of a module as `noun.verb` and its function."""
    yield "workspace.open", module.open
    for name in CLASSES:
        found = getattr(module, name)
        noun = {"EventStream": "events"}.get(name, name.lower())
        for verb, function in vars(found).items():
            if inspect.isfunction(function) and not verb.startswith("_"):
                yield f"{noun}.{verb}", function
    for noun, attribute in vars(module.Workspace).items():
        if isinstance(attribute, property):
            made = module.Workspace(_barograph.ROOT)
            for verb, function in vars(type(getattr(made, noun))).items():
                if inspect.isfunction(function) and not verb.startswith("_"):
                    yield f"{noun}.{verb}", function


@pytest.mark.parametrize("module", [barograph, aio], ids=["blocking", "aio"])
def test_every_operation_is_a_method_with_its_arguments(module: Any) -> None:
    found = dict(methods(module))
    extra = {f"{name}_columns" for name in found if f"{name}_columns" in found}
    assert set(found) - extra == set(OPERATIONS)
    assert {"code.metrics_columns", "git.features_columns"} <= extra
    for name, function in found.items():
        signature = inspect.signature(function)
        arguments = set(signature.parameters) - {"self"}
        fields = FIELDS[OPERATIONS[name.removesuffix("_columns")][0]]
        # A duration can be given as a `timedelta` too.
        spans = {field.removesuffix("_ms") for field in fields if field.endswith("_ms")}
        assert arguments == fields | spans, name
        assert inspect.getdoc(function), name
        for parameter in arguments:
            assert f"{parameter}:" in (inspect.getdoc(function) or ""), f"{name}: {parameter}"


def test_the_native_part_and_the_manifest_agree() -> None:
    assert set(_barograph.operations()) == set(OPERATIONS)
    assert barograph.__version__ == _barograph.__version__


def test_every_record_is_exported_with_its_fields() -> None:
    for name, fields in FIELDS.items():
        if name in ARGUMENTS:
            continue
        exported = getattr(barograph, "Error" if name == "ErrorRecord" else name)
        if name == "ErrorRecord":
            assert set(exported("x").to_wire()) == fields
        else:
            assert {field.name for field in dataclasses.fields(exported)} == fields
        assert name == "ErrorRecord" or name in barograph.__all__


def test_every_enumeration_is_exported() -> None:
    for name in ENUMS:
        kind, text = name.split(".")
        found = getattr(barograph, kind)
        assert issubclass(found, enum.Enum)
        assert found(text).value == text
        assert str(found(text)) == text


def test_nothing_is_exported_twice_or_by_accident() -> None:
    assert len(barograph.__all__) == len(set(barograph.__all__))
    for name in barograph.__all__:
        assert hasattr(barograph, name), name
        assert not name.startswith("_") or name == "__version__"
    assert CLASSES <= set(barograph.__all__)
    assert CLASSES <= set(aio.__all__)


def test_every_error_code_has_a_kind_with_a_class() -> None:
    for words in LINES:
        if words[0] == "error":
            error = barograph.errors.from_record(
                {"kind": words[2], "code": words[1], "message": "m"}
            )
            assert error.kind.value == words[2], words
            own = barograph.errors._OWN.get(words[1])
            assert own is None or own._kind.value == words[2], words
    codes = {words[1] for words in LINES if words[0] == "error"}
    assert set(barograph.errors._OWN) <= codes
