"""Look again and again until something is as wanted: what a reader who waits is answered with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from storyhook.ports import Clock, Places

_FIRST_PAUSE_SECONDS = 0.5
_GROWTH = 1.5
_LONGEST_PAUSE_SECONDS = 2.0
# A look at a board reads its scenes: 1,000 of them every 5 s at most.
_SCENES_PER_SECOND = 200


@dataclass(frozen=True)
class Wait:
    """Each wait holds a function of the account's: as many as there are `places`, and no more."""

    places: Places
    sleep: Callable[[float], None]
    clock: Clock

    def __call__[Seen](
        self,
        look: Callable[[], Seen],
        enough: Callable[[Seen], bool],
        seconds: int,
        *,
        scenes: int = 0,
    ) -> Seen:
        """What was seen first that is `enough`, or last when `seconds` are over.

        Where no place is free, what is seen at once: as if the time was up.
        `scenes` is how many of them a look reads: the more, the less often.
        """
        seen = look()
        if seconds == 0 or enough(seen):
            return seen
        now = self.clock()
        until = now + timedelta(seconds=seconds)
        pause = _FIRST_PAUSE_SECONDS
        with self.places.held(now, until) as held:
            while held:
                left = (until - self.clock()).total_seconds()
                if left <= 0:
                    break
                self.sleep(min(left, max(pause, scenes / _SCENES_PER_SECOND)))
                pause = min(pause * _GROWTH, _LONGEST_PAUSE_SECONDS)
                seen = look()
                if enough(seen):
                    break
        return seen
