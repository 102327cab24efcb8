"""What can be wrong, named by the domain. `http/problems.py` maps these to HTTP, nobody else does.

Every refusal happens before anything is written or paid.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: `path` as in `scenes[2].characters[0]`, `message` says what to do."""

    path: str
    message: str


class StoryhookError(Exception):
    """Base of every error that a caller is told about."""

    slug = "error"
    title = "Something went wrong"
    retry_after_seconds: int | None = None
    """When asking again may help: the answer's Retry-After."""

    def __init__(self, detail: str, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors


class InvalidRequest(StoryhookError):
    slug = "invalid-request"
    title = "The request is not valid"


class UnknownModel(StoryhookError):
    slug = "unknown-model"
    title = "There is no such model"


class UnknownCharacter(StoryhookError):
    slug = "unknown-character"
    title = "There is no such character"


class TooManyReferences(StoryhookError):
    slug = "too-many-references"
    title = "More references than allowed"


class NotSelectable(StoryhookError):
    slug = "not-selectable"
    title = "This picture cannot be chosen for the scene"


class SceneLocked(StoryhookError):
    slug = "scene-locked"
    title = "The scene is kept as it is"


class ReferencesNotTaken(StoryhookError):
    slug = "references-not-taken"
    title = "The model cannot be shown these characters"


class InvalidOption(StoryhookError):
    slug = "invalid-option"
    title = "The model does not take this option"


class InvalidCallbackUrl(StoryhookError):
    slug = "invalid-callback-url"
    title = "The callback URL cannot be used"


class BadReference(StoryhookError):
    slug = "bad-reference"
    title = "A reference image cannot be used"


class PayloadTooLarge(StoryhookError):
    slug = "payload-too-large"
    title = "The request body is too large"


class NotFound(StoryhookError):
    slug = "not-found"
    title = "There is nothing here"


class CharacterInUse(StoryhookError):
    slug = "character-in-use"
    title = "Something under way needs the character"


class CharacterChanged(StoryhookError):
    slug = "character-changed"
    title = "The character was changed meanwhile"


class StoryboardRunning(StoryhookError):
    slug = "storyboard-running"
    title = "The storyboard is still running"


class ExportFailed(StoryhookError):
    """Stands in an export's `error`."""

    slug = "export-failed"
    title = "The file could not be made"


class MissingScope(StoryhookError):
    slug = "missing-scope"
    title = "The API key may not do this"


class KeyTooWide(StoryhookError):
    slug = "key-too-wide"
    title = "The new key would be allowed more than yours"


class MaxCostExceeded(StoryhookError):
    slug = "max-cost-exceeded"
    title = "It would cost more than max_cost"


class PriceUnknown(StoryhookError):
    slug = "price-unknown"
    title = "The price is not known, and money is limited"


class BudgetExceeded(StoryhookError):
    slug = "budget-exceeded"
    title = "The API key's budget for this month does not allow it"


class RateLimited(StoryhookError):
    """Without `retry_after_seconds` waiting does not help: so much at once is never allowed."""

    slug = "rate-limited"
    title = "Too many predictions in a minute"

    def __init__(self, detail: str, retry_after_seconds: int | None) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class RotationTooSoon(StoryhookError):
    slug = "rotation-too-soon"
    title = "The previous secret is still in use"


class IdempotencyKeyReused(StoryhookError):
    slug = "idempotency-key-reused"
    title = "This key stands for another request"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key came with another request within the last 24 hours; "
            "use a new key for a new request.",
            (FieldError("idempotency-key", "used for another request"),),
        )


class RequestInProgress(StoryhookError):
    slug = "request-in-progress"
    title = "The first request with this key is still being answered"
    retry_after_seconds: int

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            "Send the same request with the same Idempotency-Key again after "
            f"{retry_after_seconds} s; it will answer with what the first one made."
        )
        self.retry_after_seconds = retry_after_seconds


class Busy(StoryhookError):
    """AWS throttles this stack, or does not answer just now."""

    slug = "busy"
    title = "The service is busy"
    retry_after_seconds = 2

    def __init__(self) -> None:
        super().__init__(
            "Send the request again after the seconds that Retry-After names; where it creates "
            "something, with the same Idempotency-Key."
        )


class BadSignature(StoryhookError):
    slug = "bad-signature"
    title = "The signature does not verify"


class StaleSignature(BadSignature):
    """Correctly signed, but too long ago (or too far ahead): the body is not to be trusted."""

    slug = "stale-signature"
    title = "The signature is too old"


class UnsafeUrl(StoryhookError):
    slug = "unsafe-url"
    title = "The URL points somewhere it must not"


class DownloadFailed(StoryhookError):
    """An image could not be copied now; `retryable` says whether trying later may help."""

    slug = "download-failed"
    retry_after_seconds = 10
    title = "The image could not be downloaded"

    def __init__(self, detail: str, *, retryable: bool) -> None:
        super().__init__(detail)
        self.retryable = retryable


class WorkflowUnavailable(StoryhookError):
    slug = "workflow-unavailable"
    title = "The workflow cannot be started just now"


class ProviderKeyMissing(StoryhookError):
    """`variable` is the environment variable that sets the stack up with this provider's key."""

    slug = "provider-key-missing"
    title = "The provider's key is not set"

    def __init__(self, provider: str, variable: str) -> None:
        super().__init__(
            f"This stack has no key for {provider}: set {variable} and start it again with "
            "`make up LIVE=1`, or on AWS with `make deploy`; or choose a model of the other "
            "provider."
        )


class SettingsError(StoryhookError):
    slug = "misconfigured"
    title = "The deployment is not configured"
