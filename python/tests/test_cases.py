"""Runs the conformance cases of `tests/cases`; the format stands in their README."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import barograph
from barograph import _barograph, _runtime, aio

TOP = Path(__file__).resolve().parents[2]
CASES = TOP / "tests" / "cases"
SCHEMAS: dict[str, Any] = json.loads((TOP / "api.schema.json").read_text())["$defs"]
#: The record of every operation's arguments, and what it answers with.
OPERATIONS = {
    line.split()[1]: (line.split()[2], line.split()[4])
    for line in (TOP / "api.manifest").read_text().splitlines()
    if line.startswith("operation ")
}


class Mismatch(Exception):
    """A step that did not do what its case says."""


def host(schema: Any, value: Any) -> Any:
    """A wire value as a user of Python passes it: records and payloads as objects."""
    if value is None or schema is True:
        return value
    if "anyOf" in schema:
        return host(next(item for item in schema["anyOf"] if item.get("type") != "null"), value)
    if schema.get("type") == "array":
        return [host(schema["items"], item) for item in value]
    name = schema.get("$ref", "").rsplit("/", 1)[-1]
    record = getattr(barograph, name, None)
    if isinstance(value, dict) and hasattr(record, "from_wire"):
        return record.from_wire(value)  # type: ignore[union-attr]
    return value


def equal(left: Any, right: Any) -> bool:
    """Equal values; 1 and 1.0 are one number, true is none."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    return bool(left == right)


class Run:
    """One case under way."""

    def __init__(self, folder: Path, opener: Callable[..., Any]) -> None:
        self.folder = folder
        self.opener = opener
        self.saved: dict[str, Any] = {}
        self.handles: dict[str, Any] = {}
        self.ws: Any = None
        self.untyped = False

    def look_up(self, place: str) -> Any:
        first, *parts = place.split(".")
        value = self.saved[first]
        for part in parts:
            value = value[int(part)] if isinstance(value, list) else value[part]
        return value

    def filled(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("$"):
            if value == "$dir" or value.startswith("$dir/"):
                return str(self.folder) + value[4:]
            try:
                return self.look_up(value[1:])
            except (KeyError, IndexError, ValueError):
                return value
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if isinstance(value, dict):
            return {key: self.filled(item) for key, item in value.items()}
        return value

    def match(self, expected: Any, actual: Any, place: str) -> None:
        def hold(good: bool) -> None:
            if not good:
                raise Mismatch(f"{place}: expected {expected!r}, got {actual!r}")

        if expected == {"json": None}:
            # A value that is null is the host's None, as one that is absent.
            hold(actual is None or actual == expected)
        elif isinstance(expected, dict):
            word = next(iter(expected), "")
            if len(expected) == 1 and word.startswith("$"):
                hold(self.special(word, expected[word], actual, place))
                return
            hold(isinstance(actual, dict))
            for name, wanted in expected.items():
                self.match(wanted, actual.get(name), f"{place}.{name}")
        elif isinstance(expected, list):
            hold(isinstance(actual, list) and len(actual) == len(expected))
            for at, wanted in enumerate(expected):
                self.match(wanted, actual[at], f"{place}.{at}")
        else:
            hold(equal(expected, actual))

    def special(self, word: str, wanted: Any, actual: Any, place: str) -> bool:
        if word == "$any":
            return actual is not None
        if word == "$count":
            return isinstance(actual, (list, str)) and len(actual) == wanted
        if word == "$same":
            return equal(self.look_up(wanted), actual)
        if word == "$near":
            return isinstance(actual, (int, float)) and abs(actual - wanted) <= 1e-9 * max(
                abs(actual), abs(wanted)
            )
        if word == "$contains" and isinstance(actual, str):
            return isinstance(wanted, str) and wanted in actual
        if word == "$contains" and isinstance(actual, list):
            return any(self.holds(wanted, item) for item in actual)
        raise Mismatch(f"{place}: cannot check {word} of {actual!r}")

    def holds(self, wanted: Any, actual: Any) -> bool:
        try:
            self.match(wanted, actual, "")
        except Mismatch:
            return False
        return True

    async def call(self, step: dict[str, Any]) -> Any:
        """Calls the step's operation through the public method that bears its name."""
        op: str = step["call"]
        noun, verb = op.split(".")
        args = self.filled(step.get("args", {}))
        target = self.handles[step["on"]] if "on" in step else self.ws
        if self.untyped:
            # What Python itself would refuse, or a type checker: as the method would send it.
            return await self.raw(target, op, args)
        properties = SCHEMAS[OPERATIONS[op][0]].get("properties", {})
        given = {name: host(properties.get(name, {}), value) for name, value in args.items()}
        if op == "workspace.open":
            return await finished(self.opener(**given))
        own = type(target).__name__ != "Workspace" or noun == "workspace"
        method = getattr(target if own else getattr(target, noun), verb)
        return await finished(method(**given))

    async def raw(self, target: Any, op: str, args: dict[str, Any]) -> Any:
        handle = _barograph.ROOT if op == "workspace.open" else target._handle
        opens = getattr(barograph, OPERATIONS[op][1])
        if OPERATIONS[op][1] in ("EventStream", "Session", "Worker", "Workspace"):
            return opens(_runtime.open_handle(handle, op, args))
        return opens.from_wire(await finished(target._call(op, args)))

    async def step(self, step: dict[str, Any]) -> tuple[str, Mismatch | None]:
        """The answer's line, and what was not as expected."""
        wanted = step.get("expect_error")
        try:
            answer = await self.call(step)
        except barograph.Error as error:
            line = json.dumps({"code": error.code}, separators=(",", ":"))
            if wanted is None:
                return line, Mismatch(f"{step['call']}: {error!r}")
            wanted = dict(wanted)
            if "message" in wanted:
                wanted["message"] = {"$contains": wanted["message"]}
            return line, self.attempt(wanted, error.to_wire(), "error")
        record: Any = {}
        if isinstance(answer, bool):
            # A question: the host gets the record's only field.
            answer = getattr(barograph, OPERATIONS[step["call"]][1])(answer)
        if hasattr(answer, "to_wire"):
            record = self.saved[step.get("save", "")] = answer.to_wire()
        else:
            self.handles[step.get("save", "")] = answer
        line = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if wanted is not None:
            return line, Mismatch(f"{step['call']}: expected the error {wanted}, got {record}")
        return line, self.attempt(step.get("expect", {}), record, step["call"])

    def attempt(self, wanted: Any, actual: Any, place: str) -> Mismatch | None:
        try:
            self.match(wanted, actual, place)
        except Mismatch as mismatch:
            return mismatch
        return None

    async def case(self, case: dict[str, Any], label: str, lines: list[str]) -> Mismatch | None:
        self.untyped = case.get("untyped", False)
        opening = {"path": str(self.folder), **self.filled(case.get("open", {}))}
        if "clock" in case:
            opening["clock"] = case["clock"]
        self.ws = await finished(self.opener(**opening))
        mismatch: Mismatch | None = None
        for at, step in enumerate(case["steps"]):
            if "close" in step:
                await finished(self.handles[step["close"]].close())
                continue
            line, mismatch = await self.step(step)
            lines.append(f"{label}.{at} {line}\n")
            if mismatch is not None:
                mismatch = Mismatch(f"step {at}: {mismatch}")
                break
        for handle in [*self.handles.values(), self.ws]:
            await finished(handle.close())
        return mismatch


async def finished(value: Any) -> Any:
    """The value, waited for where it is to be awaited."""
    return await value if inspect.isawaitable(value) else value


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The folder of the fixture repositories."""
    script = TOP / "tests" / "fixtures" / "repositories.py"
    target = Path(os.environ.get("CARGO_TARGET_DIR", TOP / "target"))
    command = [sys.executable, str(script), "--into", str(target / "fixtures")]
    return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


@pytest.mark.parametrize("way", ["blocking", "aio"])
def test_cases(way: str, fixtures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    opener: Callable[..., Any] = barograph.open if way == "blocking" else aio.open
    passed, failed, lines = 0, [], list[str]()
    for path in sorted(CASES.glob("*/*.json"), key=lambda path: os.fsencode(path)):
        for at, case in enumerate(json.loads(path.read_text())):
            label = f"{path.relative_to(CASES).as_posix()}#{at}"
            # Outside of every repository, or the search upwards would find ours.
            with tempfile.TemporaryDirectory(prefix="barograph-case-") as folder:
                if "fixture" in case:
                    source = fixtures / case["fixture"]
                    subprocess.run(["cp", "-a", f"{source}/.", folder], check=True)
                run = Run(Path(folder).resolve(), opener)
                mismatch = asyncio.run(run.case(case, label, lines))
            if (mismatch is not None) == case.get("must_fail", False):
                passed += 1
            else:
                failed.append(f"{label} `{case['name']}`: {mismatch or 'a canary passed'}")
    out = os.environ.get("BAROGRAPH_CASES_OUT")
    if out and way == "blocking":
        Path(out).write_text("".join(lines))
    with capsys.disabled():
        print(f"cases: {passed} passed, {len(failed)} failed ({way})")
    assert not failed and passed >= 280, f"{passed} passed, failed:\n" + "\n".join(failed)
