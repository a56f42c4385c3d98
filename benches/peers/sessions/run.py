#!/usr/bin/env python3
"""Durable sessions and queues side by side, in one run.

    benches/peers/sessions/build.sh             # ours; the rivals' READMEs say how to install them
    benches/peers/sessions/run.py [--only MEASURE ...] [--rounds N] [--folder DIR] [--json FILE]

Contestants stay warm and take short turns, the floor (raw SQLite, WAL, FULL) one before each of theirs: a
busy machine is busy for all. Results are medians of turns. Ratios are of lower quartiles, as other programs
and their writes can only add to a turn, and add a lot to some. `best` is the best turn. Who is not
installed is left out and named. The folder must lie on a real disk.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import postgres
from contestants import ALL, Running

#: Bar and aim; a ratio is to be below, a rate above.
BARS = {
    ("syncs", "barograph-rust", "retry"): (1.02, None),
    ("syncs", "barograph-rust", "once"): (2.02, None),
    ("syncs", "barograph-rust", "32 sessions"): (None, 1 / 28),
    ("steps", "barograph-rust", ""): (1.3, 1.1),
    ("steps", "barograph-python", ""): (1.6, 1.3),
    ("steps", "barograph-node", ""): (1.6, 1.3),
    ("steps", "barograph-go", ""): (1.4, 1.2),
    ("many", "barograph-rust", ""): (20_000, 40_000),
    ("queue", "barograph-rust", "by 100"): (5_000, 15_000),
    ("restart", "barograph-python", ""): (0.5, 0.2),
    ("bytes", "barograph-rust", ""): (150, 90),
    ("recover", "barograph-rust", ""): (2, 1),
}
HIGHER_IS_BETTER = {"many", "queue"}


def quartile(turns):
    """The lower quartile: what a turn takes when little else happens."""
    return statistics.quantiles(turns, n=4)[0] if len(turns) > 1 else turns[0]


class Bench:
    def __init__(self, folder, rounds, url, ours):
        self.folder, self.rounds, self.url, self.ours = folder, rounds, url, ours
        self.rows = []
        self.left_out = {}
        self.stores = 0

    def who(self, verb):
        """Those who can do it and are installed."""
        able = []
        for contestant in ALL:
            rival = not (contestant.ours or contestant.name == "raw") or contestant.postgres
            if verb not in contestant.verbs or (self.ours and rival):
                continue
            missing = contestant.missing()
            if contestant.postgres and self.url is None:
                missing = "a PostgreSQL server"
            if missing:
                self.left_out[contestant.label] = missing
            else:
                able.append(contestant)
        return able

    def fresh(self, contestant):
        self.stores += 1
        return self.folder / f"{self.stores}-{contestant.name}"

    def database(self, contestant):
        """A database of its own for those who need one."""
        if not contestant.postgres:
            return None
        name = f"bench{self.stores}"
        self.sql(f"CREATE DATABASE {name}")
        return f"{self.url}/{name}"

    def sql(self, text, database="postgres"):
        command = ["psql", "-X", "-qtA", "-c", text, f"{self.url}/{database}"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def database_size(self, one):
        name = one.child.args[-1].rpartition("/")[2]
        return int(self.sql("CHECKPOINT") or self.sql(f"SELECT pg_database_size('{name}')"))

    def start(self, contestant, under=()):
        folder = self.fresh(contestant)
        return Running(contestant, folder, self.database(contestant), under)

    def note(self, measure, contestant, value, unit, detail="", ratio=None, **more):
        bar, aim = BARS.get((measure, contestant.name, detail), (None, None))
        row = {"measure": measure, "contestant": contestant.label, "detail": detail, "value": value}
        row |= {"unit": unit, "ratio": ratio, "bar": bar, "aim": aim, **more}
        self.rows.append(row)
        print(f"{measure:8} {contestant.label:28} {detail:12} {value:>12.4g} {unit:10} "
              f"{'' if ratio is None else f'{ratio:.2f} x'} {more or ''}", file=sys.stderr)


def steps(bench):
    """Seconds per step in turns, each beside a turn of the floor."""
    with contextlib.ExitStack() as stack:
        floor, *others = [stack.enter_context(bench.start(one)) for one in bench.who("steps")]
        turns = [(one, verb) for one in others for verb in ("steps", "once") if verb in one.contestant.verbs]
        for one in (floor, *others):
            # Until its log has been used once from end to end: what grows costs more than what is written over.
            one.ask("steps", one.contestant.turn * 75)
        times = {key: [] for key in turns}
        beside = []
        for _ in range(bench.rounds):
            for one, verb in turns:
                count = one.contestant.turn
                beside.append(floor.ask("steps", 20)["seconds"] / 20)
                times[one, verb].append(one.ask(verb, count)["seconds"] / count)
    bench.note("steps", floor.contestant, statistics.median(beside) * 1e6, "us", best=round(min(beside) * 1e6))
    for (one, verb), mine in times.items():
        bench.note(
            "steps", one.contestant, statistics.median(mine) * 1e6, "us", "" if verb == "steps" else verb,
            quartile(mine) / quartile(beside), best=round(min(mine) * 1e6),
        )


def many(bench):
    """Steps per second of 32 sessions in one process; the floor commits 32 rows at a time."""
    with contextlib.ExitStack() as stack:
        floor, *others = [stack.enter_context(bench.start(one)) for one in bench.who("many")]
        rates = {one: [] for one in (floor, *others)}
        waits = {one: [] for one in others}
        for one in (floor, *others):
            one.ask("many", 32, 2)
        for _ in range(max(3, bench.rounds // 6)):
            for one in (floor, *others):
                count = one.contestant.turn
                answer = one.ask("many", 32, count)
                rates[one].append(32 * count / answer["seconds"])
                if "p50_us" in answer:
                    waits[one].append(answer["p50_us"])
    for one, mine in rates.items():
        # Of rates the upper quartile is the quiet one.
        ratio = quartile([1 / rate for rate in mine]) / quartile([1 / rate for rate in rates[floor]])
        more = {"p50_wait_us": round(statistics.median(waits[one]))} if waits.get(one) else {}
        bench.note(
            "many", one.contestant, statistics.median(mine), "steps/s", "",
            None if one is floor else ratio, best=round(max(mine)), **more,
        )


def queue(bench):
    """Tasks per second from enqueueing to the last result."""
    shapes = [("queue", 100, "by 100"), ("queue", 1_000, "by 1,000"), ("workers", 32, "32 workers, one at a time")]
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(bench.start(one)) for one in bench.who("queue")]
        for verb, size, detail in shapes:
            # A batch of more tasks than there are is the same as a smaller one.
            able = [one for one in running if verb in one.contestant.verbs and one.contestant.tasks >= size]
            rates = {one: [] for one in able}
            for _ in range(max(2, bench.rounds // 20)):
                for one in able:
                    count = one.contestant.tasks
                    rates[one].append(count / one.ask(verb, count, size)["seconds"])
            for one, mine in rates.items():
                bench.note("queue", one.contestant, statistics.median(mine), "tasks/s", detail, best=round(max(mine)))


def served(bench, contestant, *words):
    """How often the server synced its log in a run of this one command."""
    count = "SELECT wal_sync FROM pg_stat_wal"
    with bench.start(contestant) as one:
        before = int(bench.sql(count))
        one.ask(*words)
    # The server's processes report what they counted at most once a second.
    time.sleep(1.5)
    return int(bench.sql(count)) - before


SYNCS = ("fsync", "fdatasync", "sync_file_range", "msync")


def counter():
    """What counts syncs: perf, which holds nobody up, or strace, under which 32 sessions share fewer commits."""
    events = ",".join(f"syscalls:sys_enter_{name}" for name in SYNCS)
    perf = ("perf", "stat", "-x", ",", "-e", events)
    if shutil.which("perf") and subprocess.run([*perf, "true"], capture_output=True, check=False).returncode == 0:
        return perf, lambda log: sum(int(line.split(",")[0]) for line in log.splitlines() if ",,syscalls:" in line)
    if shutil.which("strace"):
        stops = ("strace", "-f", "--seccomp-bpf", "-qq", "-e", f"trace={','.join(SYNCS)}")
        return stops, lambda log: len(re.findall(rf"^\d+ +(?:{'|'.join(SYNCS)})\(", log, re.M))
    return None


def traced(bench, contestant, *words):
    """How often a run of this one command synced a file, from start to end."""
    log = bench.folder / "syncs"
    under, count = counter()
    with bench.start(contestant, (*under, "-o", str(log))) as one:
        one.ask(*words)
    return count(log.read_text())


def syncs(bench):
    """Syncs of files per step, those of checkpoints included: a long run less a short one."""
    if counter() is None:
        bench.left_out["syncs per step"] = "perf or strace"
        return
    for contestant in bench.who("steps"):
        count = 1_000 if contestant.turn >= 20 else 100
        counted = served if contestant.postgres else traced
        for verb, detail in (("steps", "retry"), ("once", "once")):
            if verb in contestant.verbs:
                more = counted(bench, contestant, verb, 10 + count) - counted(bench, contestant, verb, 10)
                bench.note("syncs", contestant, more / count, "per step", detail)
        if "many" in contestant.verbs:
            each = max(count // 4, 3)
            more = counted(bench, contestant, "many", 32, each + 2) - counted(bench, contestant, "many", 32, 2)
            bench.note("syncs", contestant, more / (32 * each), "per step", "32 sessions")


def size(folder):
    """Bytes of the stores in a folder, once what their logs hold is moved into them."""
    for store in folder.glob("*.db"):
        with contextlib.closing(sqlite3.connect(store)) as conn:
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return sum(store.stat().st_size for store in folder.glob("*.db*"))


def weight(bench):
    """Bytes on disk per step that returns nothing."""
    for contestant in bench.who("steps"):
        count = 10_000 if contestant.turn >= 20 else 300
        sizes = []
        for made in (10, 10 + count):
            with bench.start(contestant) as one:
                one.ask("steps", made)
            sizes.append(size(one.folder) if not contestant.postgres else bench.database_size(one))
        bench.note("bytes", contestant, (sizes[1] - sizes[0]) / count, "per step")


def restart(bench):
    """A process that is killed after 1,000 steps: from the start of the next one to its first new step."""
    for contestant in bench.who("reach"):
        count = 1_000 if contestant.turn >= 20 else 100
        times = []
        one = bench.start(contestant)
        one.tell("reach", count)
        one.hear(), one.hear()
        for _ in range(5):
            one.kill()
            start = time.perf_counter()
            one = Running(contestant, one.folder, bench.url and one.child.args[-1])
            one.tell("reach", count)
            one.hear(), one.hear()
            times.append(time.perf_counter() - start)
        one.kill()
        bench.note("restart", contestant, statistics.median(times), "s", best=round(min(times), 3))


def live(bench):
    """Sessions that are open in one process, each with a step made."""
    for contestant in bench.who("live"):
        for count in (10_000, 100_000):
            with bench.start(contestant) as one:
                answer = one.ask("live", count, 1)
            bench.note(
                "live", contestant, answer["bytes_each"], "bytes each", f"{count:,}",
                opened_s=round(answer["seconds"], 2), step_us=round(answer["step_us"]),
            )


def recover(bench):
    """100,000 open sessions of 10 steps, left by a process that was killed: claimed by the next, and listed."""
    for contestant in bench.who("recover"):
        one = bench.start(contestant)
        one.hear(), one.ask("live", 100_000, 10)
        answers = []
        for _ in range(3):
            one.kill()
            one = Running(contestant, one.folder)
            one.hear()
            answers.append(one.ask("recover"))
            if answers[-1]["claimed"] != 100_000 or answers[-1]["listed"] != 100_000:
                raise SystemExit(f"not all were recovered: {answers[-1]}")
        one.kill()
        seconds = [answer["seconds"] for answer in answers]
        claims = [answer["claim_s"] for answer in answers]
        bench.note(
            "recover", contestant, statistics.median(seconds), "s",
            best=round(min(seconds), 2), claim_s=round(statistics.median(claims), 2),
        )


MEASURES = {"steps": steps, "many": many, "queue": queue, "syncs": syncs, "bytes": weight, "restart": restart, "live": live, "recover": recover}


def table(bench):
    def text(number):
        return "-" if number is None else f"{number:,.0f}" if number >= 100 else f"{number:.3g}"

    lines = ["| measure | contestant | result | of the floor | bar | aim |", "|---|---|---|---|---|---|"]
    for row in bench.rows:
        judged = row["value"] if row["ratio"] is None or row["measure"] in HIGHER_IS_BETTER else row["ratio"]
        result = f"{text(row['value'])} {row['unit']}"
        if row["bar"] is not None and (judged < row["bar"]) == (row["measure"] in HIGHER_IS_BETTER):
            result = f"**{result}**"
        name = row["measure"] + (f", {row['detail']}" if row["detail"] else "")
        ratio = "-" if row["ratio"] is None else f"{row['ratio']:.2f} x"
        lines.append(f"| {name} | {row['contestant']} | {result} | {ratio} | {text(row['bar'])} | {text(row['aim'])} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES))
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()))
    parser.add_argument("--ours", action="store_true", help="leave out rivals and PostgreSQL: caches stay warmer")
    parser.add_argument("--json", type=pathlib.Path, help="also write every row here")
    args = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", file=sys.stderr)
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sessions-", dir=args.folder)))
        folder.chmod(0o755)
        needed = any(one.postgres and not one.missing() for one in ALL)
        url = stack.enter_context(postgres.server(folder)) if needed and postgres.programs() else None
        bench = Bench(folder, args.rounds, url, args.ours)
        for name in args.only:
            MEASURES[name](bench)
    print(table(bench))
    for who, missing in bench.left_out.items():
        print(f"left out: {who}, as {missing} is missing")
    print(f"{time.monotonic() - began:.0f} s, load {os.getloadavg()[0]:.1f} at the end")
    if args.json:
        args.json.write_text(json.dumps(bench.rows, indent=1) + "\n")


main()
