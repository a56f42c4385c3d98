"""Barograph for asyncio: the same nouns, every call awaited.

    async with barograph.aio.open(".") as ws:
        print(await ws.risk.change("HEAD~1..HEAD"))

Records and errors are those of `barograph`. A cancelled task gets `asyncio.CancelledError`, and
its call in the library is cancelled too.
"""

from ._aio_gen import EventStream, Session, Worker, Workspace, open
from ._aio_runs import SessionRun
from ._aio_runtime import Opening

__all__ = ["EventStream", "Opening", "Session", "SessionRun", "Worker", "Workspace", "open"]
