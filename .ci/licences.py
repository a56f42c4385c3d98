#!/usr/bin/env python3
"""Fails where a dependency that ships has a licence outside the allowed ones.

Development dependencies and the training command's learner do not ship and are left out.
"""
import json
import re
import subprocess
import sys

ALLOWED = {
    "MIT", "MIT-0", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-1-Clause", "BSD-2-Clause", "BSD-3-Clause",
    "ISC", "Zlib", "0BSD", "Unicode-3.0", "Unlicense", "CC0-1.0", "BSL-1.0", "LGPL-2.1-or-later",
}
# In an OR we choose another side, so it never binds.
NEVER_ALONE = {"LGPL-2.1-or-later"}


def allowed(expression: str) -> bool:
    """Whether an SPDX expression can be met with the allowed licences."""
    expression = expression.replace("/", " OR ")
    tokens = re.findall(r"\(|\)|[^\s()]+(?: WITH [^\s()]+)?", expression)

    def parse_or(at: int) -> tuple[bool, int]:
        value, at = parse_and(at)
        while at < len(tokens) and tokens[at] == "OR":
            other, at = parse_and(at + 1)
            value = value or other
        return value, at

    def parse_and(at: int) -> tuple[bool, int]:
        value, at = parse_one(at)
        while at < len(tokens) and tokens[at] == "AND":
            other, at = parse_one(at + 1)
            value = value and other
        return value, at

    def parse_one(at: int) -> tuple[bool, int]:
        if tokens[at] == "(":
            value, at = parse_or(at + 1)
            return value, at + 1
        return tokens[at] in ALLOWED - NEVER_ALONE, at + 1

    return parse_or(0)[0]


def main() -> int:
    assert allowed("MIT OR GPL-3.0") and allowed("(MIT OR X) AND ISC") and not allowed("MIT AND GPL-3.0")
    metadata = json.loads(
        subprocess.run(["cargo", "metadata", "--format-version", "1", "--locked"], check=True, capture_output=True).stdout
    )
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    ours = [pid for pid in metadata["workspace_members"] if packages[pid]["name"] not in {"barograph-benches"}]
    seen, queue = set(), list(ours)
    while queue:
        pid = queue.pop()
        if pid in seen:
            continue
        seen.add(pid)
        for dependency in nodes[pid]["deps"]:
            if any(kind["kind"] != "dev" for kind in dependency["dep_kinds"]):
                queue.append(dependency["pkg"])
    bad = [
        f"{packages[pid]['name']} {packages[pid]['version']}: {packages[pid]['license']}"
        for pid in sorted(seen)
        if not allowed(packages[pid]["license"] or "none")
    ]
    print(f"licences: {len(seen)} packages looked at, {len(bad)} refused")
    for line in bad:
        print("  " + line)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
