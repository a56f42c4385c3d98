#!/usr/bin/env python3
"""Times metrics of folders beside big-code-analysis, one thread each, in turn.

    cargo build --release -p barograph-benches --bin code-metrics
    benches/peers/code_metrics.py FOLDER [FOLDER ...] [--rounds 5] [--bca bca]

Both read the same list of files and keep to one thread; ours hashes the content besides, bca also
writes its answer (to /dev/null). Processor time of the whole process (user and system), medians,
and the peak of memory. The floor is what `code-metrics` prints without a peer.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENDINGS = {"py", "js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx", "java", "go", "rs", "c", "h"}
LARGEST = 4 << 20


def files_below(folder):
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.suffix[1:] in ENDINGS and path.is_file() and not path.is_symlink():
            if path.stat().st_size <= LARGEST:
                yield path


def run(command):
    """Processor seconds and peak memory in MiB of one run."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed with {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=int, help="only the first files of each folder")
    parser.add_argument("--bca", default="bca")
    parser.add_argument("--ours", default=ROOT / "target/release/code-metrics", type=pathlib.Path)
    args = parser.parse_args()
    print(f"{'folder':10} {'files':>6} {'bca s':>8} {'ours s':>8} {'ours/bca':>9} {'bca MiB':>8} {'ours MiB':>9}")
    for folder in args.folders:
        files = list(files_below(folder))[: args.limit]
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
            listed.write("".join(f"{path}\n" for path in files))
            listed.flush()
            peer = [args.bca, "metrics", "--no-config", "--no-ignore", "--no-skip-generated", "-j", "1",
                    "-O", "json", "--paths-from", listed.name]
            ours = [os.fspath(args.ours), "--measure", listed.name]
            theirs, own = [], []
            for _ in range(args.rounds):
                theirs.append(run(peer))
                own.append(run(ours))
        middle = lambda runs, at: statistics.median(run[at] for run in runs)  # noqa: E731
        print(f"{pathlib.Path(folder).name:10} {len(files):6} {middle(theirs, 0):8.2f} {middle(own, 0):8.2f} "
              f"{middle(own, 0) / middle(theirs, 0):9.3f} {middle(theirs, 1):8.0f} {middle(own, 1):9.0f}")


if __name__ == "__main__":
    main()
