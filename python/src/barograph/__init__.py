"""Barograph: change risk, durable sessions and queues for code, in one embeddable library.

    import barograph

    with barograph.open(".") as ws:
        print(ws.risk.change("HEAD~1..HEAD"))

`barograph.aio` has the same for asyncio. Every error is a `barograph.Error`.
"""

from typing import TYPE_CHECKING

from . import _nouns_gen, _records_gen, errors

# What these two export is generated from the list of operations, and so is their `__all__`.
from ._barograph import Columns, __version__
from ._nouns_gen import *
from ._records_gen import *
from ._runs import SessionRun
from ._runtime import CancelToken
from .errors import (
    AlreadyExistsError,
    ArgumentTypeError,
    CancelledError,
    ClosedError,
    ConflictError,
    CorruptError,
    Error,
    ExhaustedError,
    FailedError,
    InternalError,
    InvalidInputError,
    NotFoundError,
    TimeoutError,
    UnavailableError,
    UnsupportedError,
)

if TYPE_CHECKING:
    from . import aio


def __getattr__(name: str) -> object:
    # Loaded when asked for: asyncio alone takes longer to import than all the rest.
    if name == "aio":
        import importlib

        return importlib.import_module(".aio", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "AlreadyExistsError",
    "ArgumentTypeError",
    "CancelToken",
    "CancelledError",
    "ClosedError",
    "Columns",
    "ConflictError",
    "CorruptError",
    "Error",
    "ExhaustedError",
    "FailedError",
    "InternalError",
    "InvalidInputError",
    "NotFoundError",
    "SessionRun",
    "TimeoutError",
    "UnavailableError",
    "UnsupportedError",
    "__version__",
    "aio",
    "errors",
]
__all__ += _nouns_gen.__all__
__all__ += _records_gen.__all__
