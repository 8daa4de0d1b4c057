"""Runs a coroutine without an asyncio task: the price of a suspension is one method call.

A call through the gateway waits once or twice, for the upstream. An asyncio task costs a loop iteration per
wake-up and several microseconds per call; a ``Walk`` resumes its coroutine directly from the callback that
brings the news (see docs/decisions/0003-walks.md for the measurement).

1. A ``Signal`` is set once and awaited by one waiter. It works in a ``Walk`` and in an asyncio task alike.
2. ``Walk.cancel`` throws ``asyncio.CancelledError`` at the point of suspension, so ``with`` and ``finally``
   blocks run. Cancelling a walk from inside its own step takes effect at its next suspension.
3. A walk that ends with an exception hands it to ``on_error``; nothing is swallowed.
4. Resuming is synchronous and may run arbitrary pipeline code: whoever sets a signal does so last.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Signal(Generic[T]):
    """A value that comes later: ``await signal`` gives it, or raises what ``fail`` was given."""

    __slots__ = ("_asyncio_future_blocking", "_callback", "_error", "_value", "is_set")

    def __init__(self) -> None:
        self.is_set = False
        self._value: T | None = None
        self._error: BaseException | None = None
        self._callback: Callable[[Any], object] | None = None
        self._asyncio_future_blocking = False

    def set(self, value: T) -> None:
        """Gives the value and resumes the waiter, if any, before returning. A second ``set`` is ignored."""
        if not self.is_set:
            self.is_set = True
            self._value = value
            self._wake()

    def fail(self, error: BaseException) -> None:
        if not self.is_set:
            self.is_set = True
            self._error = error
            self._wake()

    def _wake(self) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback(self)

    def __await__(self) -> Generator["Signal[T]", None, T]:
        if not self.is_set:
            self._asyncio_future_blocking = True
            yield self
        return self.result()

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        # set() stored a T; Any keeps Optional out of the signature.
        value: Any = self._value
        return value  # type: ignore[no-any-return]

    # What asyncio.Task asks of a future that it waits for; the signatures are asyncio's.
    def add_done_callback(self, callback: Callable[[Any], object], *, context: object = None) -> None:  # noqa: ARG002
        loop = asyncio.get_running_loop()
        self._callback = lambda signal: loop.call_soon(callback, signal)

    def remove_done_callback(self, callback: Callable[[Any], object]) -> int:  # noqa: ARG002
        self._callback = None
        return 1

    def cancel(self, msg: object = None) -> bool:  # noqa: ARG002
        if self.is_set:
            return False
        self.fail(asyncio.CancelledError())
        return True

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def exception(self) -> BaseException | None:
        return self._error


class Walk:
    """Drives one coroutine to its end. ``start`` runs it up to its first real wait."""

    __slots__ = ("_cancelled", "_coroutine", "_on_error", "_running", "_waiting", "is_done")

    def __init__(
        self, coroutine: Coroutine[Any, Any, None], on_error: Callable[[BaseException], None]
    ) -> None:
        self._coroutine = coroutine
        self._on_error = on_error
        self._waiting: Any = None
        self._running = False
        self._cancelled = False
        self.is_done = False

    def start(self) -> None:
        self._step(None)

    def cancel(self) -> None:
        """Stops the walk where it waits. Does nothing once it is done."""
        if self.is_done:
            return
        self._cancelled = True
        if self._running:
            return
        waiting, self._waiting = self._waiting, None
        if isinstance(waiting, Signal):
            waiting._callback = None
        elif waiting is not None:
            waiting.remove_done_callback(self._wake)
            waiting.cancel()
        self._step(asyncio.CancelledError())

    def _wake(self, _signal: object) -> None:
        self._waiting = None
        self._step(None)

    def _step(self, error: BaseException | None) -> None:
        self._running = True
        coroutine = self._coroutine
        try:
            while True:
                if error is None:
                    waiting = coroutine.send(None)
                else:
                    waiting = coroutine.throw(error)
                waiting._asyncio_future_blocking = False
                if not self._cancelled or error is not None:
                    break
                # Cancelled from inside this step: the wait that just began is interrupted at once.
                error = asyncio.CancelledError()
        except StopIteration:
            self.is_done = True
            self._running = False
            return
        except asyncio.CancelledError:
            self.is_done = True
            self._running = False
            return
        except BaseException as fault:  # noqa: BLE001 - handed on, whatever it is
            self.is_done = True
            self._running = False
            self._on_error(fault)
            return
        self._running = False
        self._waiting = waiting
        if isinstance(waiting, Signal):
            waiting._callback = self._wake
        else:
            waiting.add_done_callback(self._wake)
