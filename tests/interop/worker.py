"""Runs the steps of a session; see run.py for what is asked of it."""

import os
import sys
import time

import barograph

store, session, steps, stop = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
folder = os.path.dirname(store)


def work(number: int) -> dict[str, object]:
    with open(os.path.join(folder, "effects"), "a") as file:
        file.write(f"{number} python\n")
    if number == stop:
        print("waiting", flush=True)
        time.sleep(600)
    return {"step": number, "half": number / 2, "text": f"é{number}"}


with barograph.open(folder, store=store) as ws, ws.session(session, resume=True) as s:
    results = []
    for number in range(steps):
        results.append(s.step(f"step-{number}", lambda: work(number), args={"b": number, "a": [number, "é"]}))
        assert results[-1] == {"step": number, "half": number / 2, "text": f"é{number}"}, results[-1]
    blob = s.step("bytes", lambda: bytes([0, 1, 254, 255]))
    assert blob == b"\x00\x01\xfe\xff", blob
    s.complete({"total": sum(result["step"] for result in results)})
