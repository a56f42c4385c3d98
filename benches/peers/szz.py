#!/usr/bin/env python3
"""Times SZZ over a whole history beside the change measures and beside blame, and scores it on real labels.

    cargo build --release -p barograph-cli
    benches/peers/szz.py time REPOSITORY ... [--rounds 3] [--blames 40]
    benches/peers/szz.py score REPOSITORY ... [--fixes 500]

`time` runs `git features`, `git szz` and a blame of the lines that a sample of the fixes removes in
turn, with nothing kept between rounds, and prints medians of processor seconds (which other programs
disturb less than wall time) and their ratios.

`score` takes fixes whose message names the faulty commit in a `Fixes:` trailer, hides that from SZZ, and
counts how many named commits are found: precision, recall and F1 of plain blame and of SZZ, and
the difference of F1 with its 95 % interval (2,000 bootstrap samples of the fixes).
"""

import argparse
import bisect
import collections
import json
import os
import pathlib
import random
import re
import resource
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRAILER = re.compile(r"(?im)^[ \t]*Fixes:[ \t]*(?:commit[ \t]+)?([0-9a-f]{7,64})\b")


def run(command, folder=None):
    """Wall seconds, processor seconds and output of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done.stdout


def git(repository, *arguments):
    """Output and processor seconds of one git command."""
    _, cpu, out = run(["git", "-c", "safe.directory=*", "-C", repository, *arguments])
    return out.decode(errors="replace"), cpu


def blame(repository, fix):
    """Plain SZZ: the commits that git blames for the lines that a fix removes, and processor seconds."""
    diff, cpu = git(repository, "diff", "-U0", "-M", "--no-color", "--no-ext-diff", f"{fix}^", fix)
    ranges, path = collections.defaultdict(list), None
    for line in diff.split("\n"):
        if line.startswith("--- "):
            path = line[6:] if line.startswith("--- a/") else None
        hunk = re.match(r"@@ -(\d+)(?:,(\d+))? \+", line)
        if hunk and path:
            count = int(hunk[2]) if hunk[2] is not None else 1
            if count:
                ranges[path] += ["-L", f"{hunk[1]},+{count}"]
    found = set()
    for path, lines in ranges.items():
        out, more = git(repository, "blame", "--porcelain", *lines, f"{fix}^", "--", path)
        cpu += more
        found.update(re.findall(r"^([0-9a-f]{40}) \d+ \d+", out, re.M))
    return found, cpu


def szz(args, repository, *options):
    """Runs SZZ; answers what was asked."""
    return run([os.fspath(args.barograph), "--in-memory", "git", "szz", "--format", "json", *options], repository)


def timed(args, repository):
    """Prints the times of one repository."""
    features, traced, walls, blamed, fixes, rows = [], [], [], [], 0, 0
    for number in range(args.rounds):
        command = [os.fspath(args.barograph), "--in-memory", "git", "features", "--format", "csv"]
        wall_features, cpu, _ = run(command, repository)
        features.append(cpu)
        wall, cpu, out = szz(args, repository, "--fixes", "message")
        traced.append(cpu)
        walls.append(wall / wall_features)
        answer = json.loads(out)
        fixes, rows = answer["fixes"], len(answer["rows"])
        answered = sorted({row["fix"] for row in answer["rows"]})
        sample = random.Random(number).sample(answered, min(args.blames, len(answered)))
        blamed.append(statistics.mean(blame(repository, fix)[1] for fix in sample))
    ours, theirs = statistics.median(traced), statistics.median(features)
    each = statistics.median(blamed)
    print(
        f"{repository}: {fixes} fixes, {rows} lines; features {theirs:.2f} s, szz {ours:.2f} s of the processor: "
        f"{ours / theirs:.2f} x (wall {statistics.median(walls):.2f} x); blame {1000 * each:.0f} ms a fix, "
        f"ours {1000 * ours / max(fixes, 1):.2f} ms: {each * fixes / ours:.0f} x",
        flush=True,
    )


def labels(repository):
    """Fixes that are no merges, and the commits that their trailers name."""
    log, _ = git(repository, "log", "--no-merges", "--format=%x01%H %P%x02%B", "HEAD")
    ids = sorted(git(repository, "rev-list", "HEAD")[0].split())

    def resolve(digits):
        at = bisect.bisect_left(ids, digits)
        fitting = [known for known in ids[at : at + 2] if known.startswith(digits)]
        return fitting[0] if len(fitting) == 1 else None

    truth = {}
    for entry in log.split("\x01")[1:]:
        head, message = entry.split("\x02", 1)
        fix, *parents = head.split()
        named = {resolve(digits.lower()) for digits in TRAILER.findall(message)} - {None, fix}
        if named and len(parents) == 1:
            truth[fix] = named
    return truth


def measures(counts):
    """Precision, recall and F1 of (right, found, named) per fix."""
    right, found, named = (sum(column) for column in zip(*counts))
    precision, recall = right / max(found, 1), right / max(named, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-12)


def scored(args, repository):
    """Prints the scores of one repository."""
    truth = labels(repository)
    fixes = sorted(truth)
    random.Random(5).shuffle(fixes)
    fixes = fixes[: args.fixes]
    answers = {"plain blame": {fix: blame(repository, fix)[0] for fix in fixes}}
    for name, options in (("szz", []), ("szz --weak", ["--weak"])):
        listed = [word for fix in fixes for word in ("--from-commits", fix)]
        _, _, out = szz(args, repository, *listed, *options)
        answers[name] = collections.defaultdict(set)
        for row in json.loads(out)["rows"]:
            answers[name][row["fix"]].add(row["inducing"])
    counts = {
        name: [(len(found[fix] & truth[fix]), len(found[fix]), len(truth[fix])) for fix in fixes]
        for name, found in answers.items()
    }
    print(f"{repository}: {len(fixes)} of {len(truth)} fixes with trailers")
    dice = random.Random(11)
    samples = [dice.choices(range(len(fixes)), k=len(fixes)) for _ in range(2000)]
    plain = [measures([counts["plain blame"][at] for at in sample])[2] for sample in samples]
    for name, own in counts.items():
        precision, recall, score = measures(own)
        drawn = [measures([own[at] for at in sample])[2] for sample in samples]
        low, high = sorted(drawn)[49], sorted(drawn)[1949]
        more = sorted(ours - base for ours, base in zip(drawn, plain))
        difference = score - measures(counts["plain blame"])[2]
        print(
            f"  {name:12} P {precision:.3f} R {recall:.3f} F1 {score:.3f} [{low:.3f}, {high:.3f}]; "
            f"more than plain blame {difference:+.3f} [{more[49]:+.3f}, {more[1949]:+.3f}]",
            flush=True,
        )


def main():
    """Reads the arguments and runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["time", "score"])
    parser.add_argument("repositories", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--blames", type=int, default=40)
    parser.add_argument("--fixes", type=int, default=500)
    parser.add_argument("--barograph", default=ROOT / "target/release/barograph", type=pathlib.Path)
    args = parser.parse_args()
    for repository in args.repositories:
        {"time": timed, "score": scored}[args.what](args, repository)


if __name__ == "__main__":
    main()
