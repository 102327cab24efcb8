"""Domain errors as RFC 9457 problems. The one place that knows which error is which status."""

import json
from collections.abc import Mapping
from typing import Any

from storyhook.domain import errors

CONTENT_TYPE = "application/problem+json"

_DEFAULT_STATUS = 422
_MAX_ERRORS = 100
# What is missing is for the log, not for strangers.
_NOT_CONFIGURED = "The deployment is not set up for this provider; its log says what is missing."


class NotJson(errors.StoryhookError):
    slug = "not-json"
    title = "The body is not JSON"


class UnsupportedMediaType(errors.StoryhookError):
    slug = "unsupported-media-type"
    title = "The body's type is not JSON"


class MethodNotAllowed(errors.StoryhookError):
    slug = "method-not-allowed"
    title = "This route does not take the method"

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__(f"Use {' or '.join(allowed)} here.")
        self.allowed = allowed


_STATUS: Mapping[type[errors.StoryhookError], int] = {
    NotJson: 400,
    MethodNotAllowed: 405,
    UnsupportedMediaType: 415,
    errors.NotFound: 404,
    errors.BadSignature: 401,
    errors.MissingScope: 403,
    errors.KeyTooWide: 403,
    errors.RotationTooSoon: 409,
    errors.CharacterInUse: 409,
    errors.CharacterChanged: 409,
    errors.SceneLocked: 409,
    errors.StoryboardRunning: 409,
    errors.MaxCostExceeded: 402,
    errors.PriceUnknown: 402,
    errors.BudgetExceeded: 402,
    errors.RateLimited: 429,
    errors.IdempotencyKeyReused: 409,
    errors.RequestInProgress: 409,
    errors.Busy: 503,
    errors.PayloadTooLarge: 413,
    errors.DownloadFailed: 503,
    errors.WorkflowUnavailable: 503,
    errors.ProviderKeyMissing: 503,
    errors.SettingsError: 503,
}


def status_of(error: type[errors.StoryhookError]) -> int:
    for kind in error.__mro__:
        if kind in _STATUS:
            return _STATUS[kind]
    return _DEFAULT_STATUS


def problem(error: errors.StoryhookError) -> dict[str, Any]:
    """The body: `type` ends in a stable slug, `detail` says what to do."""
    body: dict[str, Any] = {
        "type": f"/problems/{error.slug}",
        "title": error.title,
        "status": status_of(type(error)),
        "detail": _NOT_CONFIGURED if isinstance(error, errors.SettingsError) else error.detail,
    }
    if error.errors:
        body["errors"] = [
            {"path": e.path, "message": e.message} for e in error.errors[:_MAX_ERRORS]
        ]
    return body


def headers(error: errors.StoryhookError) -> dict[str, str]:
    """Those that say what to do next: when to ask again, or by which method."""
    if isinstance(error, MethodNotAllowed):
        return {"Allow": ", ".join(error.allowed)}
    wait = error.retry_after_seconds
    return {"Retry-After": str(wait)} if wait is not None else {}


def response(error: errors.StoryhookError) -> dict[str, Any]:
    """The problem as a Lambda answer of API Gateway's payload format 2.0."""
    return {
        "statusCode": status_of(type(error)),
        "headers": {"content-type": CONTENT_TYPE, **headers(error)},
        "body": json.dumps(problem(error)),
    }
