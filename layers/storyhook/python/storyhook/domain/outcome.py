"""What a provider says, in our words. Two closed unions:

`Submission` answers "did the provider take the job?", `Outcome` answers "what became of it?".
"""

from dataclasses import dataclass
from enum import StrEnum


class FailureKind(StrEnum):
    """Why a prediction gave no picture. Classified by status, type and code."""

    BLOCKED = "blocked-by-moderation"
    INVALID_INPUT = "provider-refused-input"
    BAD_REFERENCE = "provider-refused-reference"
    CONFIG = "provider-account"
    UNAVAILABLE = "provider-unavailable"
    TIMEOUT = "provider-timeout"
    CANCELED = "canceled"
    EXPIRED = "expired"
    LOST_RESULT = "lost-result"
    UNKNOWN = "provider-failure"


_MAX_DETAIL = 500
_MAX_CODE = 100
_RETRYABLE = {FailureKind.UNAVAILABLE, FailureKind.TIMEOUT, FailureKind.UNKNOWN}

TITLES = {
    FailureKind.BLOCKED: "Blocked by the provider's moderation",
    FailureKind.INVALID_INPUT: "The provider refused the input",
    FailureKind.BAD_REFERENCE: "The provider could not use a reference",
    FailureKind.CONFIG: "The provider account cannot be used",
    FailureKind.UNAVAILABLE: "The provider was unavailable",
    FailureKind.TIMEOUT: "The provider took too long",
    FailureKind.CANCELED: "Canceled",
    FailureKind.EXPIRED: "No result before the deadline",
    FailureKind.LOST_RESULT: "The picture could not be copied",
    FailureKind.UNKNOWN: "The provider failed",
}


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


@dataclass(frozen=True, slots=True)
class Failure:
    """`provider_code` is the provider's own type or code, for people who look it up.

    Providers' texts have no bound; ours has: a board of 1,000 failures must fit a callback.
    """

    kind: FailureKind
    detail: str
    provider_code: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "detail", _shortened(self.detail, _MAX_DETAIL))
        if self.provider_code is not None:
            object.__setattr__(self, "provider_code", _shortened(self.provider_code, _MAX_CODE))

    @property
    def retryable(self) -> bool:
        """Whether a new prediction of the same plan may succeed."""
        return self.kind in _RETRYABLE


@dataclass(frozen=True, slots=True)
class ProviderHandle:
    """The provider's id of a job and the URLs it gave for it (fal's cannot be predicted)."""

    provider_id: str
    status_url: str | None = None
    response_url: str | None = None
    cancel_url: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    handle: ProviderHandle


@dataclass(frozen=True, slots=True)
class NotCreated:
    """Certainly nothing was created (429, 503, no connection): it may be sent again."""

    detail: str
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Certainly nothing was created, and sending the same again will not help."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """The bytes left, no clear answer came: it may run and cost. Never sent again blindly."""

    detail: str


Submission = Accepted | NotCreated | Rejected | OutcomeUnknown


@dataclass(frozen=True, slots=True)
class Pending:
    """Not over yet."""


@dataclass(frozen=True, slots=True)
class Succeeded:
    """`image_urls` are the provider's; they die, so they are copied at once."""

    image_urls: tuple[str, ...]
    seed: int | None = None
    provider_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    failure: Failure


@dataclass(frozen=True, slots=True)
class AskProvider:
    """It is over, but this message does not hold the result: fetch it from the provider."""


Outcome = Pending | Succeeded | Failed | AskProvider


@dataclass(frozen=True, slots=True)
class Delivery:
    """A verified webhook: which job of the provider it speaks of, and what it says."""

    provider_id: str | None
    outcome: Outcome
