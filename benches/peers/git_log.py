#!/usr/bin/env python3
"""Times a cold read of a repository's history beside `git log --no-merges --numstat -M`.

    cargo build --release -p barograph-benches --bin history
    benches/peers/git_log.py REPOSITORY [REPOSITORY ...] [--rounds 5]

The two are run in turn, so that a busy machine is busy for both; the ratio is that of the medians
(wall time, and time of the processor, which other programs disturb less). The log is kept in
memory: nothing is left for the next round.
"""

import argparse
import os
import pathlib
import re
import resource
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(command):
    """Wall seconds, processor seconds and output of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return wall, cpu, done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repositories", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--history", default=ROOT / "target/release/history", type=pathlib.Path)
    args = parser.parse_args()
    for repository in args.repositories:
        git = ["git", "-c", "safe.directory=*", "-C", repository, "log", "--no-merges", "--numstat", "-M", "HEAD"]
        ours = [os.fspath(args.history), repository]
        theirs_wall, theirs_cpu, cold, warm, ours_cpu, rows = [], [], [], [], [], 0
        for _ in range(args.rounds):
            wall, cpu, _ = run(git)
            theirs_wall.append(wall)
            theirs_cpu.append(cpu)
            wall, cpu, out = run(ours)
            text = out.decode()
            rows = int(re.search(r"cold (\d+) rows", text)[1])
            times = [float(ms) for ms in re.findall(r"rows ([\d.]+) ms", text)]
            cold.append(times[0] / 1000)
            warm.append(times[-1])
            ours_cpu.append(cpu)
        git_wall, our_wall = statistics.median(theirs_wall), statistics.median(cold)
        print(
            f"{repository}: {rows} rows; git log {git_wall:.2f} s, cold {our_wall:.2f} s, "
            f"ratio {our_wall / git_wall:.2f}; processor {statistics.median(theirs_cpu):.2f} s against "
            f"{statistics.median(ours_cpu):.2f} s; warm {statistics.median(warm):.1f} ms"
        )


if __name__ == "__main__":
    main()
