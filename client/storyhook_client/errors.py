"""Everything the client raises; a refusal is an ApiError, of the class of its problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

_BY_SLUG: dict[str, type[ApiError]] = {}


class StoryhookError(Exception):
    """Base of all of them; its text is for people."""


class BadFile(StoryhookError):
    """A file of the caller's that cannot be used; the text begins with its name and line."""

    def __init__(self, path: object, message: str, line: int | None = None) -> None:
        where = f"{path}:{line}" if line else str(path)
        super().__init__(f"{where}: {message}")
        self.path, self.line, self.message = str(path), line, message


class BadConfiguration(StoryhookError):
    """It is not known which stack to speak to, or with which key."""


class BadWebhook(StoryhookError):
    """A callback that does not come from whom it should, or too late."""


class NoAnswer(StoryhookError):
    """The stack could not be reached, or has not answered in time; a read may be tried again."""


class UnexpectedAnswer(StoryhookError):
    """Whatever answered is no Storyhook API, or one that this client is too old for."""


class BadDownload(StoryhookError):
    """A picture could not be downloaded whole."""


class NotFinished(StoryhookError, TimeoutError):
    """`wait` has waited as long as it was told; `last` is how the thing stood then."""

    def __init__(self, text: str, last: Any) -> None:
        super().__init__(text)
        self.last = last


@dataclass(frozen=True)
class FieldError:
    """One wrong field: `path` as in `scenes[2].characters[0]`."""

    path: str
    message: str


class ApiError(StoryhookError):
    """The API refused. `type` is stable and ends in the slug; `detail` says what to do."""

    slug: ClassVar[str] = ""

    def __init__(
        self,
        status: int,
        document: Mapping[str, Any],
        retry_after_seconds: float | None = None,
    ) -> None:
        self.status = status
        self.document = dict(document)
        """The problem (RFC 9457) as it came."""
        self.type = str(document.get("type", f"/problems/status-{status}"))
        self.title = str(document.get("title", f"HTTP {status}"))
        self.detail = str(document.get("detail", ""))
        self.errors = tuple(
            FieldError(str(entry.get("path", "")), str(entry.get("message", "")))
            for entry in document.get("errors") or ()
        )
        self.retry_after_seconds = retry_after_seconds
        super().__init__(self._text())

    def __init_subclass__(cls) -> None:
        _BY_SLUG[cls.slug] = cls

    def _text(self) -> str:
        lines = [f"{self.title}. {self.detail}".strip()]
        for error in self.errors:
            if error.message == self.detail:
                lines[0] += f" (at {error.path})"
            else:
                lines.append(f"  {error.path}: {error.message}" if error.path else error.message)
        return "\n".join(lines)


def api_error(
    status: int, document: Mapping[str, Any], retry_after_seconds: float | None
) -> ApiError:
    """The error of the problem's class; ApiError itself for a problem that is not known here."""
    slug = str(document.get("type", "")).rpartition("/")[2]
    return _BY_SLUG.get(slug, ApiError)(status, document, retry_after_seconds)


class InvalidRequest(ApiError):
    slug = "invalid-request"


class NotJson(ApiError):
    slug = "not-json"


class Unauthorized(ApiError):
    """No API key, or none that this stack knows."""

    slug = "unauthorized"


class UnknownModel(ApiError):
    slug = "unknown-model"


class UnknownCharacter(ApiError):
    slug = "unknown-character"


class TooManyReferences(ApiError):
    slug = "too-many-references"


class SceneLocked(ApiError):
    slug = "scene-locked"


class NotSelectable(ApiError):
    slug = "not-selectable"


class ReferencesNotTaken(ApiError):
    slug = "references-not-taken"


class InvalidOption(ApiError):
    slug = "invalid-option"


class InvalidCallbackUrl(ApiError):
    slug = "invalid-callback-url"


class UnsafeUrl(ApiError):
    slug = "unsafe-url"


class BadReference(ApiError):
    slug = "bad-reference"


class DownloadFailed(ApiError):
    """The stack could not fetch a reference just now."""

    slug = "download-failed"


class PayloadTooLarge(ApiError):
    slug = "payload-too-large"


class NotFound(ApiError):
    slug = "not-found"


class RotationTooSoon(ApiError):
    slug = "rotation-too-soon"


class ProviderKeyMissing(ApiError):
    slug = "provider-key-missing"


class WorkflowUnavailable(ApiError):
    slug = "workflow-unavailable"


class Misconfigured(ApiError):
    slug = "misconfigured"


class MissingScope(ApiError):
    slug = "missing-scope"


class BudgetExceeded(ApiError):
    slug = "budget-exceeded"


class MaxCostExceeded(ApiError):
    slug = "max-cost-exceeded"


class PriceUnknown(ApiError):
    slug = "price-unknown"


class RateLimited(ApiError):
    slug = "rate-limited"


class IdempotencyKeyReused(ApiError):
    slug = "idempotency-key-reused"


class RequestInProgress(ApiError):
    slug = "request-in-progress"


class Busy(ApiError):
    slug = "busy"


class KeyTooWide(ApiError):
    slug = "key-too-wide"


class CharacterInUse(ApiError):
    slug = "character-in-use"


class StoryboardRunning(ApiError):
    slug = "storyboard-running"


class ExportFailed(ApiError):
    """The API did not refuse: it could not make the file, and `detail` says why."""

    slug = "export-failed"


class CharacterChanged(ApiError):
    slug = "character-changed"


class MethodNotAllowed(ApiError):
    slug = "method-not-allowed"


class UnsupportedMediaType(ApiError):
    slug = "unsupported-media-type"
