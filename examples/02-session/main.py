"""Steps that survive a kill: run it with `crash`, then again without."""

import os
import signal
import sys

import barograph

folder, crash = sys.argv[1], sys.argv[2:] == ["crash"]


def build() -> int:
    print("building", flush=True)
    return 3


def publish(files: int) -> None:
    if crash:
        os.kill(os.getpid(), signal.SIGKILL)
    print(f"publishing {files} files")


with barograph.open(folder) as ws, ws.session("release-42", resume=True) as s:
    files = s.step("build", build)
    s.step("publish", lambda: publish(files))
    done = s.complete({"files": files})
    print(f"{done.status}, {done.steps_done} steps")
