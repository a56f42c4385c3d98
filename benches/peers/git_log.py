#!/usr/bin/env python3
"""Times a cold read of a repository's history beside `git log --no-merges --numstat -M`.

    cargo build --release -p barograph-benches --bin history
    benches/peers/git_log.py REPOSITORY [REPOSITORY ...] [--rounds 5] [--files]

The two are run in turn, so that a busy machine is busy for both; the ratio is that of the medians
(wall time, and time of the processor, which other programs disturb less; peak memory of either). The
log is kept in memory: nothing is left for the next round.

With `--files` a read of files, renames and authors alone, as `git.coupling` does it, is timed too.
"""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(command):
    """Wall seconds, processor seconds, peak memory in MiB and output of one run."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - start
        if child.returncode != 0:
            raise SystemExit(f"{command} ended with {child.returncode}")
        out.seek(0)
        return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repositories", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--history", default=ROOT / "target/release/history", type=pathlib.Path)
    parser.add_argument("--files", action="store_true")
    args = parser.parse_args()
    median = statistics.median
    for repository in args.repositories:
        git = ["git", "-c", "safe.directory=*", "-C", repository, "log", "--no-merges", "--numstat", "-M", "HEAD"]
        light = [os.fspath(args.history), repository, "--files"]
        theirs, ours, files, cold, light_cold, warm, rows = [], [], [], [], [], [], 0
        for _ in range(args.rounds):
            theirs.append(run(git))
            ours.append(run([os.fspath(args.history), repository]))
            if args.files:
                files.append(run(light))
                light_cold.append(float(re.search(r"cold \d+ rows ([\d.]+) ms", files[-1][3].decode())[1]) / 1000)
            text = ours[-1][3].decode()
            rows = int(re.search(r"cold (\d+) rows", text)[1])
            times = [float(ms) for ms in re.findall(r"rows ([\d.]+) ms", text)]
            cold.append(times[0] / 1000)
            warm.append(times[-1])

        def of(runs, at):
            return median(one[at] for one in runs)

        ratios = sorted(our / one[0] for our, one in zip(cold, theirs))
        print(
            f"{repository}: {rows} rows; git log {of(theirs, 0):.2f} s, cold {median(cold):.2f} s, "
            f"ratio {median(cold) / of(theirs, 0):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}); "
            f"processor {of(theirs, 1):.2f} s, {of(ours, 1):.2f} s, ratio {of(ours, 1) / of(theirs, 1):.2f}; "
            f"memory {of(theirs, 2):.0f} MiB, {of(ours, 2):.0f} MiB; warm {median(warm):.1f} ms",
            flush=True,
        )
        if files:
            print(
                f"  files alone: {median(light_cold):.2f} s, ratio {median(light_cold) / of(theirs, 0):.2f}; processor "
                f"{of(files, 1):.2f} s, ratio {of(files, 1) / of(theirs, 1):.2f}; memory {of(files, 2):.0f} MiB",
                flush=True,
            )


if __name__ == "__main__":
    main()
