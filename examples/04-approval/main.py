"""A release that waits for its approval in no process: run it, approve it, run it again."""

import sys
from datetime import timedelta

import barograph

folder, words = sys.argv[1], sys.argv[2:]


def build(tag: str) -> str:
    print(f"building {tag}")
    return f"app-{tag}.tar"


def publish(artifact: str) -> None:
    print(f"publishing {artifact}")


def release(s: barograph.SessionRun) -> None:
    artifact = s.step("build", lambda: build(s.input["tag"]))
    try:
        answer = s.wait_signal("approved", timeout=timedelta(days=1), wait=timedelta(0))
    except barograph.TimeoutError:  # session.waiting: claimed again when the signal or the day's end is there
        print("waiting for approval")
        return
    if answer.timed_out:
        s.complete(failure=RuntimeError("nobody approved it within a day"))
        return
    print(f"approved by {answer.value['by']}")
    s.step("publish", lambda: publish(artifact), policy="once")
    done = s.complete(artifact)
    print(f"{done.status}, {done.steps_done} steps")


with barograph.open(folder) as ws:
    if words[:1] == ["approve"]:
        ws.session.signal("release-7", "approved", {"by": words[1]})
        print("sent")
    else:
        # The same key is the same session, however often it is submitted.
        if ws.session.submit("release-7", {"tag": "v7"}, key="v7").created:
            print("submitted")
        for s in ws.session.claimed(idle=timedelta(0)):  # without `idle` it waits for the next one
            release(s)
