"""What every contestant in Python shares: commands by line in, one JSON object by line out."""

import json
import sys
import time


def timed(work, *args):
    """How long `work` took."""
    start = time.perf_counter()
    work(*args)
    return {"seconds": time.perf_counter() - start}


#: Where the answers go. Libraries print to standard output; the answers must stay alone there.
OUT, sys.stdout = sys.stdout, sys.stderr


def answer(record):
    print(json.dumps(record), file=OUT, flush=True)


def block():
    """Says that it was reached, and waits to be killed."""
    answer({"reached": True})
    time.sleep(3600)


def serve(verbs):
    """Obeys until its input ends."""
    answer({"ready": True})
    for line in sys.stdin:
        verb, *numbers = line.split()
        answer(verbs[verb](*map(int, numbers)))
