#!/usr/bin/env python3
"""Times `risk.change HEAD` beside `git log --no-merges --numstat -M` of the same repository.

    cargo build --release -p barograph-cli -p barograph-benches --bin barograph --bin risk_change
    benches/peers/risk_change.py REPOSITORY [REPOSITORY ...] [--rounds 5]

Cold is a fresh process with an empty store; open is the same question again in the workspace that
is open; kept is a fresh process of the command line with the store that is there already; MCP is
the tool `risk_change` in a server that has answered once. git log and cold are run in turn, so that
a busy machine is busy for both. Every number is a median, of wall time unless it says processor.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASE = ROOT / "target/release"


def run(command):
    """Wall seconds, processor seconds and output of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run([os.fspath(part) for part in command], stdout=subprocess.PIPE, check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return wall, cpu, done.stdout


def mcp(repository, store, rounds):
    """Milliseconds of each call of the tool after the first."""
    command = [RELEASE / "barograph", "--repo", repository, "--store", store, "mcp"]
    server = subprocess.Popen(
        [os.fspath(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def send(message):
        server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        server.stdin.flush()

    def ask(number, method, params):
        send({"id": number, "method": method, "params": params})
        for line in server.stdout:
            answer = json.loads(line)
            if answer.get("id") == number:
                if "error" in answer or answer["result"].get("isError"):
                    raise SystemExit(f"{method}: {line[:400]}")
                return answer["result"]
        raise SystemExit("the server ended")

    client = {"name": "bench", "version": "1"}
    ask(0, "initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client})
    send({"method": "notifications/initialized"})
    times = []
    for number in range(1, rounds + 2):
        start = time.perf_counter()
        ask(number, "tools/call", {"name": "risk_change", "arguments": {"range": "HEAD"}})
        times.append((time.perf_counter() - start) * 1e3)
    server.stdin.close()
    server.wait(timeout=30)
    return times[1:]


def measure(repository, rounds, folder):
    git = ["git", "-c", "safe.directory=*", "-C", repository, "log", "--no-merges", "--numstat", "-M", "HEAD"]
    log_wall, log_cpu, cold, cold_cpu, warm, kept, ratios = [], [], [], [], [], [], []
    for number in range(rounds):
        store = folder / f"{number}.db"
        wall, cpu, _ = run(git)
        log_wall.append(wall)
        log_cpu.append(cpu)
        # The rounds after the first one are warm: their share of the processor's time is small.
        _, cpu, out = run([RELEASE / "risk_change", repository, store])
        times = [float(ms) for ms in re.findall(r"([\d.]+) ms", out.decode())]
        cold.append(times[0] / 1e3)
        cold_cpu.append(cpu)
        ratios.append(cold[-1] / wall)
        warm.extend(times[1:])
        command = [RELEASE / "barograph", "--repo", repository, "--store", store]
        kept.append(run([*command, "risk", "change", "HEAD", "--format", "json"])[0] * 1e3)
    served = mcp(repository, store, rounds)
    middle = statistics.median
    print(
        f"{repository}: git log {middle(log_wall):.2f} s, cold {middle(cold):.2f} s, "
        f"ratio {middle(cold) / middle(log_wall):.2f} (rounds {min(ratios):.2f} to {max(ratios):.2f}); "
        f"processor {middle(log_cpu):.2f} s against {middle(cold_cpu):.2f} s; open {middle(warm):.1f} ms; "
        f"kept, fresh process {middle(kept):.0f} ms; MCP {middle(served):.1f} ms",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repositories", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    for repository in args.repositories:
        with tempfile.TemporaryDirectory() as folder:
            measure(repository, args.rounds, pathlib.Path(folder))


if __name__ == "__main__":
    main()
