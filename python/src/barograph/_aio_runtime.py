"""Calls through the door for asyncio: one queue of answers for each event loop."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, Generic, TypeVar

from ._barograph import Columns, Delivery, Handle
from ._runtime import Noun
from ._wire import decode, encode

T = TypeVar("T", bound="AsyncOwner")
O = TypeVar("O", bound="AsyncOwner")

_deliveries: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Delivery] = (
    weakref.WeakKeyDictionary()
)


async def _start(handle: Handle, op: str, args: str, columns: bool = False) -> Any:
    loop = asyncio.get_running_loop()
    delivery = _deliveries.get(loop)
    if delivery is None:
        delivery = _deliveries[loop] = Delivery(weakref.ref(loop))
    future: asyncio.Future[Any] = loop.create_future()
    token = delivery.start(handle, op, args, future, columns)
    try:
        return await future
    finally:
        # Done with an answer, this does nothing; else the task was cancelled, and so is the call.
        if future.cancelled() or not future.done():
            delivery.cancel(token)


class AsyncNoun(Noun):
    """Some operations of a workspace, awaited."""

    __slots__ = ()

    async def _call(self, op: str, args: dict[str, Any]) -> Any:
        return decode(await _start(self._handle, op, encode(op, args)))

    async def _send(self, op: str, text: str) -> str:  # type: ignore[override]
        """Calls an operation with arguments that are JSON already; so is the answer."""
        answer: str = await _start(self._handle, op, text)
        return answer

    async def _columns(self, op: str, args: dict[str, Any]) -> Columns:  # type: ignore[override]
        columns: Columns = await _start(self._handle, op, encode(op, args), True)
        return columns


class AsyncOwner(AsyncNoun):
    """Something with a life: close it, use it in an `async with` block, or let go of it."""

    __slots__ = ("__weakref__",)

    async def close(self) -> None:
        """Closes it: later calls are `ClosedError`; closing twice does nothing."""
        await asyncio.get_running_loop().run_in_executor(None, self._handle.close)

    async def __aenter__(self: O) -> O:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


class Opening(Generic[T]):
    """A handle that is about to be opened: `await` it, or use it in an `async with` block."""

    __slots__ = ("_args", "_handle", "_make", "_op", "_opened")

    def __init__(
        self, make: Callable[[Handle], T], handle: Handle, op: str, args: dict[str, Any]
    ) -> None:
        self._make = make
        self._handle = handle
        self._op = op
        self._args = args
        self._opened: T | None = None

    async def _open(self) -> T:
        text = encode(self._op, self._args)
        return self._make(await _start(self._handle, self._op, text))

    def __await__(self) -> Generator[Any, None, T]:
        return self._open().__await__()

    async def __aenter__(self) -> T:
        self._opened = await self._open()
        return self._opened

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._opened is not None:
            await self._opened.close()


def opening(
    make: Callable[[Handle], T], handle: Handle, op: str, args: dict[str, Any]
) -> Opening[T]:
    """A handle that is about to be opened."""
    return Opening(make, handle, op, args)
