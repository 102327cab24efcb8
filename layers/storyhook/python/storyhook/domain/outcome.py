"""What a provider says, in our words. Two closed unions:

`Submission` answers "did the provider take the job?", `Outcome` answers "what became of it?".
"""

from dataclasses import dataclass
from enum import StrEnum


class FailureKind(StrEnum):
    """Why a prediction gave no picture: by status, type and code, never by a message's words.

    The value is the last part of the `type` in the API and stays as it is.
    """

    THROTTLED = "provider-throttled"
    UNAVAILABLE = "provider-unavailable"
    TIMEOUT = "provider-timeout"
    INVALID_INPUT = "provider-refused-input"
    BAD_REFERENCE = "provider-refused-reference"
    REFERENCE_NOT_FETCHED = "provider-could-not-fetch-reference"
    BLOCKED = "blocked-by-moderation"
    NO_CREDIT = "provider-no-credit"
    WRONG_KEY = "provider-wrong-key"
    ACCOUNT = "provider-account"
    EXPIRED = "expired"
    EXPIRED_AT_PROVIDER = "expired-at-provider"
    CANCELED = "canceled"
    OUTCOME_UNKNOWN = "provider-outcome-unknown"
    LOST_RESULT = "lost-result"
    UNKNOWN = "provider-failure"


@dataclass(frozen=True, slots=True)
class FailureRule:
    """What follows from a kind of failure.

    `retryable`: a new prediction of the same plan may succeed, and no picture was paid for.
    `next_model`: a scene's fallback may be tried. Never where the picture may have been paid for.
    """

    title: str
    retryable: bool
    next_model: bool


RULES = {
    # Sent again from the queue for as long as it may wait there; only then this is its end.
    FailureKind.THROTTLED: FailureRule(
        "The provider's rate limit was reached", retryable=True, next_model=True
    ),
    FailureKind.UNAVAILABLE: FailureRule(
        "The provider was unavailable", retryable=True, next_model=True
    ),
    FailureKind.TIMEOUT: FailureRule("The provider took too long", retryable=True, next_model=True),
    # The same plan fails the same way; another model may take it.
    FailureKind.INVALID_INPUT: FailureRule(
        "The provider refused the input", retryable=False, next_model=True
    ),
    FailureKind.BAD_REFERENCE: FailureRule(
        "The provider could not use a reference", retryable=False, next_model=True
    ),
    # Perhaps its URL had expired: each prediction is sent with new ones.
    FailureKind.REFERENCE_NOT_FETCHED: FailureRule(
        "The provider could not fetch a reference", retryable=True, next_model=True
    ),
    # A fallback is tried if the board asks for that (`NextModel.on_block`).
    FailureKind.BLOCKED: FailureRule(
        "Blocked by the provider's moderation", retryable=False, next_model=False
    ),
    # Until somebody mends the account; the other provider's may be in order.
    FailureKind.NO_CREDIT: FailureRule(
        "The provider account has no credit", retryable=False, next_model=True
    ),
    FailureKind.WRONG_KEY: FailureRule(
        "The provider refused the key", retryable=False, next_model=True
    ),
    FailureKind.ACCOUNT: FailureRule(
        "The provider account cannot be used", retryable=False, next_model=True
    ),
    # Never sent, or stopped.
    FailureKind.EXPIRED: FailureRule(
        "No result before the deadline", retryable=True, next_model=True
    ),
    # These three may have been paid for; making another picture is for the caller to decide.
    FailureKind.EXPIRED_AT_PROVIDER: FailureRule(
        "The provider neither finished nor stopped", retryable=False, next_model=False
    ),
    FailureKind.OUTCOME_UNKNOWN: FailureRule(
        "The provider's answer was lost", retryable=False, next_model=False
    ),
    FailureKind.LOST_RESULT: FailureRule(
        "The picture could not be copied", retryable=False, next_model=False
    ),
    FailureKind.CANCELED: FailureRule("Canceled", retryable=False, next_model=False),
    FailureKind.UNKNOWN: FailureRule("The provider failed", retryable=True, next_model=True),
}

# The provider may have made, and billed, a picture that is not here.
MAY_BE_PAID = frozenset(
    {FailureKind.EXPIRED_AT_PROVIDER, FailureKind.OUTCOME_UNKNOWN, FailureKind.LOST_RESULT}
)

_MAX_DETAIL = 500
_MAX_CODE = 100


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


@dataclass(frozen=True, slots=True)
class Failure:
    """`provider_code` is the provider's own type or code, for people who look it up.

    `began`: the job ran, or nobody says that it did not, when it was stopped. Providers bill that.

    Providers' texts have no bound; ours has: a board of 1,000 failures must fit a callback.
    """

    kind: FailureKind
    detail: str
    provider_code: str | None = None
    began: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "detail", _shortened(self.detail, _MAX_DETAIL))
        if self.provider_code is not None:
            object.__setattr__(self, "provider_code", _shortened(self.provider_code, _MAX_CODE))

    @property
    def may_be_paid(self) -> bool:
        return self.began or self.kind in MAY_BE_PAID

    @property
    def rule(self) -> FailureRule:
        return RULES[self.kind]


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
    """Certainly nothing was created (429, 503, no connection): it may be sent again.

    `failure` says why; it ends the prediction if that stays so until its queue time-out.
    """

    failure: Failure
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
    """`image_urls` are the provider's; they die, so they are copied at once.

    `blanked`: how many more the safety checker took away; they may be billed as the others.
    """

    image_urls: tuple[str, ...]
    seed: int | None = None
    provider_seconds: float | None = None
    blanked: int = 0


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
