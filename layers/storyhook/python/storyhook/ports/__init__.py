"""What the use cases ask for. `aws`, `providers` and `web` supply it; `wiring` says which.

What is asked for to deliver callbacks is in `ports.callbacks`.

Every write that moves a row is conditional: a method that may lose a race returns None.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from storyhook.domain.access import Page
from storyhook.domain.budget import NOTHING, Booking, Reservation
from storyhook.domain.choosing import Seen
from storyhook.domain.images import ImageFacts
from storyhook.domain.outcome import (
    Delivery,
    NotCreated,
    Outcome,
    ProviderHandle,
    Rejected,
    Submission,
)
from storyhook.domain.prediction import Prediction, Status
from storyhook.domain.storyboard import BoardScene, Choice, Storyboard
from storyhook.domain.upload import Upload, Uploaded

Clock = Callable[[], datetime]
"""Now, UTC-aware."""

Entropy = Callable[[int], bytes]
"""So many random bytes, fit for secrets."""

Ended = Callable[[Prediction | Storyboard], None]
"""Told of each prediction and each board once, when it has ended."""

Random = Callable[[], float]
"""A number in [0, 1)."""


class Places(Protocol):
    """Where reads may be held back: so many at once in the whole stack."""

    def held(self, now: datetime, until: datetime) -> AbstractContextManager[bool]:
        """A place, until it is left, or `until` at the latest; False if none is free."""


class Predictions(Protocol):
    def add(self, prediction: Prediction, reservation: Reservation = NOTHING) -> None:
        """Write a new row, and take the reservation with it: both or neither.

        Raises FileExistsError if there is one with its id, OverBudget, OverRate.
        """

    def add_all(
        self, predictions: Sequence[Prediction], reservation: Reservation = NOTHING
    ) -> None:
        """As `add`, of a few new rows: all or none. Raises FileExistsError if one is there."""

    def get(self, prediction_id: str) -> Prediction | None: ...

    def get_many(self, prediction_ids: Sequence[str]) -> dict[str, Prediction]: ...

    def list(self, tenant: str, limit: int, cursor: str | None) -> Page[Prediction]:
        """Newest first."""

    def advance(
        self,
        prediction_id: str,
        to: Status,
        changes: Mapping[str, Any],
        *,
        attempt: int | None = None,
        unless: Collection[Status] = (),
        booking: Booking | None = None,
    ) -> Prediction | None:
        """Move the row to `to` if its status allows that, and its budgets with it.

        With `attempt`, only if that is the row's; never if its status is in `unless`. A row that
        is to be canceled never moves to `submitting`.

        Returns the row as it is now, or None when somebody else was first, or it holds something
        else than `booking` says. Raises OverBudget, and nothing is moved.
        """

    def attach_task_token(self, prediction_id: str, task_token: str) -> Prediction | None:
        """Store the workflow's token whatever the status; the row as it is now, if it exists."""

    def request_cancel(
        self, row: Prediction, now: datetime, changes: Mapping[str, Any]
    ) -> Prediction | None:
        """Say that the row is to be canceled, since `now` unless it was said before.

        Only while it is as in `row`; the row as it is now, or None when somebody was first.
        """

    def adopt(self, prediction_id: str, handle: ProviderHandle) -> None:
        """Note the provider's own URLs on a row that a fast webhook has settled meanwhile."""

    def claim_due(self, row: Prediction, until: datetime) -> Prediction | None:
        """Take an overdue row over: move its `due_at` unless somebody moved it first."""

    def postpone(self, row: Prediction, until: datetime, changes: Mapping[str, Any]) -> None:
        """Set the next due time of a row that is still in the same status; else do nothing."""

    def announced(self, prediction_id: str) -> None:
        """Everybody has heard: nothing is owed any more."""

    def remove(self, row: Prediction) -> None:
        """Delete a claimed row that was never accepted (its board was not written).

        Not if it is due at another time by now: its board is being written once more.
        """


class Storyboards(Protocol):
    def add(
        self,
        board: Storyboard,
        scenes: Sequence[BoardScene],
        predictions: Sequence[Prediction],
        reservation: Reservation = NOTHING,
    ) -> None:
        """Write the rows, the board last: until it stands, nothing is accepted, nor reserved.

        Raises OverBudget or OverRate, and deletes again what was written.
        """

    def get(self, storyboard_id: str) -> Storyboard | None: ...

    def get_many(self, storyboard_ids: Sequence[str]) -> dict[str, Storyboard]: ...

    def scenes(self, storyboard_id: str) -> tuple[BoardScene, ...]: ...

    def scene(self, storyboard_id: str, position: int) -> BoardScene | None:
        """One scene of a board, by its position from 1."""

    def attach(self, storyboard_id: str, scene: BoardScene, prediction_id: str) -> None:
        """Add to the scene's predictions, at the end, unless it is there already."""

    def decide(
        self,
        storyboard_id: str,
        position: int,
        choice: Choice,
        checks: Mapping[str, Any] | None = None,
    ) -> BoardScene | None:
        """Write the first choice of a scene, unless there is one; None then."""

    def choose(
        self, storyboard_id: str, scene: BoardScene, changes: Mapping[str, Any]
    ) -> BoardScene | None:
        """Change `choice` or `locked_at` of a scene in which both are still those of `scene`."""

    def list(self, tenant: str, limit: int, cursor: str | None) -> Page[Storyboard]: ...

    def finish(self, board: Storyboard) -> bool:
        """Write the end of a running board.

        False if it was over already, or is to be canceled and `board` did not know.
        """

    def request_cancel(self, storyboard_id: str, now: datetime) -> Storyboard | None:
        """Say that a running board is to be canceled, and is due; None if it is, or is over."""

    def claim_due(self, board: Storyboard, until: datetime) -> Storyboard | None:
        """Take an overdue board over: move its `due_at` unless somebody moved it first."""

    def announced(self, storyboard_id: str) -> None:
        """Its end is told: nothing is owed any more."""


class DueRows(Protocol):
    def overdue(self, now: datetime, limit: int) -> Sequence[tuple[str, str, datetime]]:
        """(kind, id, since when) of rows that owe something; kinds: PRED, SB, CB, EXP.

        At most `limit` of each of the index's partitions.
        """


class Images(Protocol):
    """Our private bucket."""

    def put(self, key: str, data: bytes, content_type: str) -> None: ...

    def get(self, key: str) -> bytes: ...

    def sign(self, key: str) -> tuple[str, datetime]:
        """A URL for reading `key`, and until when it works."""

    def sign_until(self, key: str, until: datetime) -> str:
        """A URL for reading `key` that works until then, or as long as a signature can."""


class Looks(Protocol):
    def at(self, key: str) -> Seen | None:
        """How the picture at `key` of our bucket looks; None if it is no picture."""


class Uploads(Protocol):
    """Which objects of our bucket lie with which provider."""

    def find(self, provider: str, key: str) -> Upload | None: ...

    def claim(self, provider: str, key: str, seen: Upload | None, until: datetime) -> bool:
        """Say that we upload it now; False if somebody has said so since `seen`."""

    def record(self, provider: str, key: str, upload: Upload) -> None: ...


class ReferenceUrls(Protocol):
    """How a provider gets to see the references of a prediction."""

    def urls(self, row: Prediction, until: datetime) -> Mapping[str, str] | NotCreated | Rejected:
        """For each `reference://<id>` of the row a URL that works until then.

        Or why there is none: nothing was created at the provider.
        """


class ProviderKeys(Protocol):
    def check(self, provider: str) -> None:
        """Raises ProviderKeyMissing when this stack has no key for the provider."""


class ImageSource(Protocol):
    def fetch(self, url: str) -> tuple[bytes, ImageFacts]:
        """A whole, checked image; raises DownloadFailed, BadReference or UnsafeUrl."""


class Submissions(Protocol):
    def enqueue(self, prediction_id: str, delay_seconds: int = 0) -> None: ...


class Workflow(Protocol):
    def start(self, storyboard_id: str, scenes: Sequence[BoardScene]) -> None:
        """Start the board's workflow for the candidates of its scenes; twice is the same as once.

        Raises WorkflowUnavailable.
        """

    def resume(self, task_token: str, output: Mapping[str, Any]) -> None:
        """Tell the waiting task that its scene succeeded; a closed token is fine."""

    def fail(self, task_token: str, error: str, cause: str) -> None: ...


class ProviderClient(Protocol):
    """The side of a provider that costs money: with its SDK and its key."""

    def submit(
        self, endpoint: str, payload: Mapping[str, Any], webhook_url: str | None
    ) -> Submission:
        """Create the job with ONE request, whatever happens; never raises for the network.

        Without a `webhook_url` the provider is not asked to tell.
        """

    def fetch(self, endpoint: str, handle: ProviderHandle) -> Outcome:
        """What became of the job. Raises DownloadFailed when the provider cannot be asked."""

    def find(self, webhook_url: str | None) -> ProviderHandle | None:
        """The job created with this webhook URL, where the provider can tell; else None."""

    def upload(self, data: bytes, content_type: str, name: str) -> Uploaded | NotCreated | Rejected:
        """Give the provider a file for the inputs of later jobs; never raises for the network."""

    def cancel(self, endpoint: str, handle: ProviderHandle) -> bool:
        """Ask the provider to stop; whether it was in time."""


class WebhookReader(Protocol):
    """The side of a provider that costs nothing: verify and parse, without its SDK."""

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Delivery:
        """A delivery whose signature holds. Header names in lower case, body as received.

        Raises BadSignature, or StaleSignature when only the time is wrong.
        """


class UrlGuard(Protocol):
    def check(self, url: str) -> None:
        """Raises UnsafeUrl if callbacks must not go there, judged by the URL alone."""
