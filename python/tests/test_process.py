"""The life of a process: forks, signals, its end, its death in the middle of a step."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

import barograph

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")


def program(text: str, *args: str) -> subprocess.Popen[str]:
    """A program of its own that can import the package."""
    path = os.pathsep.join(
        [str(Path(barograph.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    )
    return subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(text), *args],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has them, and what they start, ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def in_child(work: Any) -> str:
    """What `work` returns in a forked child, or the error's code."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns of forks where threads run, which is what is tried here.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            try:
                answer = str(work())
            except barograph.Error as error:
                answer = error.code
            except BaseException as error:
                answer = repr(error)
            os.write(write, answer.encode())
        finally:
            os._exit(0)
    os.close(write)
    deadline = time.monotonic() + 20
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "hangs"
        time.sleep(0.01)
    answer = os.read(read, 4096).decode()
    os.close(read)
    return answer


def test_after_a_fork_old_handles_refuse_and_new_ones_work() -> None:
    with barograph.open(in_memory=True) as ws, ws.session("s") as session:
        ws.info()
        assert in_child(ws.info) == "process.forked"
        assert in_child(lambda: session.begin("a")) == "process.forked"
        assert in_child(lambda: barograph.open(in_memory=True).info().durability) == "none"
        # The parent's handles are untouched by children that come and go.
        assert ws.info().durability == "none"
        assert session.step("a", lambda: 1) == 1


def test_a_forked_child_can_use_asyncio() -> None:
    def work() -> str:
        import asyncio

        async def main() -> str:
            async with barograph.aio.open(in_memory=True) as ws:
                return (await ws.info()).durability

        return asyncio.run(main())

    with barograph.open(in_memory=True) as ws:
        ws.info()
        assert in_child(work) == "none"


def spawned(path: str) -> str:
    with barograph.open(path, in_memory=True) as ws:
        return ws.info().version


def test_workers_started_with_spawn_open_their_own(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with barograph.open(in_memory=True) as ws:
        ws.info()
        with context.Pool(1) as pool:
            assert pool.map(spawned, [str(tmp_path)]) == [barograph.__version__]


def test_ctrl_c_ends_a_blocking_call() -> None:
    process = program(
        """
        import barograph, time
        with barograph.open(in_memory=True) as ws, ws.worker("q") as worker:
            print("waiting", flush=True)
            started = time.monotonic()
            try:
                worker.next(1, 600_000)
            except KeyboardInterrupt:
                # The workspace goes on as if nothing had happened.
                print("interrupted", ws.info().durability, worker.next().tasks, flush=True)
        """
    )
    assert line(process) == "waiting"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert (out.strip(), process.returncode) == ("interrupted none []", 0), err


PENDING = {
    "a daemon thread waits": """
        import threading
        worker = ws.worker("q")
        threading.Thread(target=worker.next, args=(1, 600_000), daemon=True).start()
        time.sleep(0.1)
    """,
    "asyncio tasks are pending": """
        import asyncio
        async def main():
            ws = await barograph.aio.open(in_memory=True)
            worker = await ws.worker("q")
            tasks = [asyncio.ensure_future(worker.next(1, 600_000)) for _ in range(20)]
            await asyncio.sleep(0.1)
        asyncio.run(main())
    """,
    "a loop is left as it is": """
        import asyncio
        async def main():
            ws = await barograph.aio.open(in_memory=True)
            worker = await ws.worker("q")
            return [asyncio.ensure_future(worker.next(1, 600_000)) for _ in range(20)]
        loop = asyncio.new_event_loop()
        tasks = loop.run_until_complete(main())
    """,
    "answers arrive while it ends": """
        import asyncio
        async def main():
            ws = await barograph.aio.open(in_memory=True)
            return [asyncio.ensure_future(ws.info()) for _ in range(2_000)]
        loop = asyncio.new_event_loop()
        tasks = loop.run_until_complete(main())
    """,
    "everything is open": """
        keep = [ws, ws.session("s"), ws.worker("q"), ws.events(follow=True)]
    """,
}


@pytest.mark.parametrize("name", PENDING)
def test_a_program_ends_within_two_seconds(name: str) -> None:
    process = program(
        "import barograph, time\nws = barograph.open(in_memory=True)\n"
        + textwrap.dedent(PENDING[name])
        + "print('at the end', flush=True)\n"
    )
    assert line(process) == "at the end"
    started = time.monotonic()
    _, err = process.communicate(timeout=30)
    assert time.monotonic() - started < 4, "twice the promise, for busy machines"
    assert process.returncode == 0, err


def test_a_child_that_used_nothing_ends_at_once() -> None:
    process = program(
        """
        import barograph, os, sys, threading
        ws = barograph.open(in_memory=True)
        ws.info()
        child = os.fork()
        if child == 0:
            del ws
            print(len(os.listdir("/proc/self/task")) if os.path.isdir("/proc") else 1, flush=True)
            sys.exit(0)
        os.waitpid(child, 0)
        """
    )
    assert line(process) == "1"
    _, err = process.communicate(timeout=10)
    assert process.returncode == 0, err


def test_garbage_collection_closes_handles(tmp_path: Path) -> None:
    store = tmp_path / "s.db"

    def files() -> int:
        return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0

    with barograph.open(tmp_path, store=store) as ws:
        ws.info()
    gc.collect()
    before = files()
    for turn in range(20):
        ws = barograph.open(tmp_path, store=store)
        session = ws.session("s", resume=turn > 0)
        session.begin(f"step-{turn}")
        # A cycle, which reference counts alone do not free.
        circle: list[Any] = [ws, session]
        circle.append(circle)
        del ws, session, circle
    gc.collect()
    deadline = time.monotonic() + 5
    while files() > before + 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert files() <= before + 4


def test_a_run_that_was_killed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    text = """
        import barograph, sys, time
        folder = sys.argv[1]
        def work(name):
            with open(folder + "/effects", "a") as file:
                file.write(name + "\\n")
            return name
        def stuck():
            work("stuck")
            print("stuck", flush=True)
            time.sleep(600)
        ws = barograph.open(folder, store=folder + "/s.db")
        with ws.session("r", resume=True) as s:
            for name in "abc":
                assert s.step(name, lambda: work(name)) == name
            s.step("d", stuck)
    """
    process = program(text, str(tmp_path))
    assert line(process) == "stuck"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with barograph.open(tmp_path, store=tmp_path / "s.db") as ws, ws.session("r", resume=True) as s:
        for name in "abc":
            assert s.step(name, lambda: "ran again") == name
        start = s.begin("d")
        assert start.state is barograph.StepState.RUN
        s.finish(start.token or "", "done")
        assert s.complete("end").steps_done == 4
    assert (tmp_path / "effects").read_text().split() == ["a", "b", "c", "stuck"]


def test_the_command_comes_with_the_package() -> None:
    process = program(
        "import sys; from barograph._cli import main; sys.argv[1:] = ['--version']; main()"
    )
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert barograph.__version__ in out
