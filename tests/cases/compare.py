#!/usr/bin/env python3
"""Compares the answers of all runners: the same lines, equal to the last bit.

    python3 tests/cases/compare.py target/answers/*.txt

Each FILE is what a runner wrote with BAROGRAPH_CASES_OUT. A file named cli.* is the command line's: it leaves
out the cases marked `sdk_only`. Blanked are ids and tokens that were made up on the way, absolute paths, and
times in cases without a fixed clock; a member that is null, or a payload of null, counts as absent, as hosts differ
in that. Who owns a session is left out: it is a runner's process, and gone soon after a close. Exit
status 1 on any difference, on a line too few, and when there are fewer than two files.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

CASES = Path(__file__).resolve().parent
MADE_UP = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
ABSOLUTE = re.compile(r"(?<![\w.:/])/[^\s`'\"]+")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
SHOWN = 20


def blanked(value, clock: bool, name: str = ""):
    """`value` without what may differ between two runs of one program."""
    if isinstance(value, dict):
        absent = (None, {"json": None})
        shown = {key: item for key, item in value.items() if item not in absent and key != "owner"}
        return {key: blanked(item, clock, key) for key, item in shown.items()}
    if isinstance(value, list):
        return [blanked(item, clock, name) for item in value]
    if isinstance(value, str):
        if name == "token":
            return "(token)"
        text = ABSOLUTE.sub("(path)", MADE_UP.sub("(id)", value))
        return text if clock else TIME.sub("(time)", text)
    return value


def expected() -> dict[str, tuple[bool, bool]]:
    """The case's label to whether it has a fixed clock and whether the command line runs it."""
    found = {}
    for file in CASES.glob("*/*.json"):
        label = file.relative_to(CASES).as_posix()
        for index, case in enumerate(json.loads(file.read_text(encoding="utf-8"))):
            found[f"{label}#{index}"] = ("clock" in case, not case.get("sdk_only", False))
    return found


def read(file: Path, cases: dict[str, tuple[bool, bool]]) -> tuple[dict[str, object], list[str]]:
    """The answers by label, and what is wrong with the file by itself."""
    answers: dict[str, object] = {}
    wrong, last = [], None
    for line in file.read_text(encoding="utf-8").splitlines():
        label, _, text = line.partition(" ")
        case, _, step = label.rpartition(".")
        if case not in cases or not step.isdigit():
            wrong.append(f"{file.name}: `{label}` is no step of a case")
            continue
        noun, _, index = case.rpartition("#")
        place = (noun.encode(), int(index), int(step))
        if last is not None and place <= last:
            wrong.append(f"{file.name}: `{label}` is out of order or stands twice")
        last = place
        try:
            answers[label] = blanked(json.loads(text), cases[case][0])
        except ValueError as error:
            wrong.append(f"{file.name}: `{label}` is not JSON: {error}")
    return answers, wrong


def difference(left, right, place: str) -> str | None:
    """The first place where two answers differ, or None."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(left.keys() | right.keys()):
            if key not in left or key not in right:
                side = "first" if key in left else "second"
                return f"{place}.{key} stands only in the {side}"
            found = difference(left[key], right[key], f"{place}.{key}")
            if found:
                return found
        return None
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = enumerate(zip(left, right, strict=True))
        return next((found for at, (a, b) in pairs if (found := difference(a, b, f"{place}.{at}"))), None)
    # 1 and 1.0 are one number, true and 1 are not.
    if left == right and isinstance(left, bool) == isinstance(right, bool):
        return None
    return f"{place}: {json.dumps(left)[:200]} against {json.dumps(right)[:200]}"


def main(names: list[str]) -> int:
    files = [Path(name) for name in names]
    if len(files) < 2 or not all(file.is_file() for file in files):
        print(f"compare: give at least two files of answers (got {names})", file=sys.stderr)
        return 1
    cases = expected()
    wrong: list[str] = []
    tables = {}
    for file in files:
        tables[file], found = read(file, cases)
        wrong += found
    everything = set().union(*(table.keys() for table in tables.values()))
    unanswered = set(cases) - {label.rpartition(".")[0] for label in everything}
    wrong += [f"no runner has answered {label}" for label in sorted(unanswered)]
    for file, table in tables.items():
        print(f"{file.name}: {len(table)} answers of {len({label.rpartition('.')[0] for label in table})} cases")
        for label in sorted(everything - table.keys()):
            if not (file.stem == "cli" and not cases[label.rpartition(".")[0]][1]):
                wrong.append(f"{file.name}: {label} is missing")
    compared = 0
    for label in sorted(everything):
        holders = [file for file in files if label in tables[file]]
        for other in holders[1:]:
            compared += 1
            found = difference(tables[holders[0]][label], tables[other][label], "answer")
            if found:
                wrong.append(f"{label}: {holders[0].name} against {other.name}: {found}")
    for text in wrong[:SHOWN]:
        print(text)
    if len(wrong) > SHOWN:
        print(f"... and {len(wrong) - SHOWN} more")
    print(f"compare: {compared} pairs of answers compared, {len(wrong)} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
