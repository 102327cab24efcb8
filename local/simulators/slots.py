"""A first-come-first-served gate whose width may change while it is in use."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress


class Slots:
    def __init__(self, width: Callable[[], int]) -> None:
        self._width = width
        self._taken = 0
        self._waiting: deque[tuple[object, asyncio.Future[None]]] = deque()

    async def acquire(self, who: object) -> None:
        if not self._waiting and self._taken < self._width():
            self._taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (who, turn)
        self._waiting.append(entry)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()  # our turn came in the same moment: pass it on
            else:
                with suppress(ValueError):  # wake() may just have dropped it
                    self._waiting.remove(entry)
            raise

    def release(self) -> None:
        self._taken -= 1
        self.wake()

    def wake(self) -> None:
        """Let in whoever fits; also to be called when the width has changed."""
        while self._waiting and self._taken < self._width():
            _, turn = self._waiting.popleft()
            if not turn.done():
                self._taken += 1
                turn.set_result(None)

    def position(self, who: object) -> int:
        """How many wait before this one (0 = next)."""
        for index, (waiting, _) in enumerate(self._waiting):
            if waiting is who:
                return index
        return 0

    @property
    def waiting(self) -> int:
        return len(self._waiting)
