"""Calls through the door: blocking ones here, asyncio's in `_aio_runtime`."""

from __future__ import annotations

import atexit
import os
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, TypeVar

from . import _barograph
from ._barograph import Columns, Handle
from ._wire import decode, encode

O = TypeVar("O", bound="Owner")

#: How long the end of the program waits for calls that it cancelled.
EXIT_WAIT_MS = 1_500

_token: ContextVar[_barograph.Token | None] = ContextVar("barograph_cancel", default=None)
_get_token = _token.get
_call = _barograph.call


def call(handle: Handle, op: str, args: dict[str, Any]) -> Any:
    """Calls an operation that answers with a record: the record's JSON form."""
    return decode(_call(handle, op, encode(op, args), _get_token()))


def open_handle(handle: Handle, op: str, args: dict[str, Any]) -> Handle:
    """Calls an operation that opens a handle."""
    return _barograph.open(handle, op, encode(op, args), _get_token())


class CancelToken:
    """Cancels blocking calls from another thread.

    Every call inside the `with` block belongs to the token; `cancel` ends them, and those that
    come later, with `CancelledError`.

        token = barograph.CancelToken()
        threading.Timer(5, token.cancel).start()
        with token:
            ws.risk.change()
    """

    __slots__ = ("_entered", "_token")

    def __init__(self) -> None:
        self._token = _barograph.Token()
        self._entered: list[Token[_barograph.Token | None]] = []

    def cancel(self) -> None:
        """Cancels every call of the token; may be called from any thread."""
        self._token.cancel()

    def __enter__(self) -> CancelToken:
        self._entered.append(_token.set(self._token))
        return self

    def __exit__(self, *_: object) -> None:
        _token.reset(self._entered.pop())


class Noun:
    """Some operations of a workspace."""

    __slots__ = ("_handle",)

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def _call(self, op: str, args: dict[str, Any]) -> Any:
        return decode(_call(self._handle, op, encode(op, args), _get_token()))

    def _send(self, op: str, text: str) -> str:
        """Calls an operation with arguments that are JSON already; so is the answer."""
        return _call(self._handle, op, text, _get_token())

    def _columns(self, op: str, args: dict[str, Any]) -> Columns:
        return _barograph.columns(self._handle, op, encode(op, args), _get_token())

    def __repr__(self) -> str:
        return f"<barograph.{type(self).__name__}>"

    def __reduce__(self) -> str:
        raise TypeError(
            f"a {type(self).__name__} cannot be sent to another process; open a workspace there"
        )


class Owner(Noun):
    """Something with a life: close it, use it in a `with` block, or let go of it."""

    __slots__ = ("__weakref__",)

    def close(self) -> None:
        """Closes it: later calls are `ClosedError`; closing twice does nothing."""
        self._handle.close()

    def __enter__(self: O) -> O:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _shutdown() -> None:
    _barograph.shutdown(EXIT_WAIT_MS)


# Without this, threads of the library could meet an interpreter that is gone.
atexit.register(_shutdown)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_barograph.forked)
