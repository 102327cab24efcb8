"""Domain errors as RFC 9457 problems. The one place that knows which error is which status."""

import json
from collections.abc import Mapping
from typing import Any

from storyhook.domain import errors

CONTENT_TYPE = "application/problem+json"

_STATUS: Mapping[type[errors.StoryhookError], int] = {
    errors.NotFound: 404,
    errors.BadSignature: 401,
    errors.RotationTooSoon: 409,
    errors.PayloadTooLarge: 413,
    errors.DownloadFailed: 503,
    errors.ProviderKeyMissing: 503,
    errors.SettingsError: 503,
}
_DEFAULT_STATUS = 422
_MAX_ERRORS = 100
# What is missing is for the log, not for strangers.
_NOT_CONFIGURED = "The deployment is not set up for this provider; its log says what is missing."
_BAD_JSON_STATUS = 400


class NotJson(errors.StoryhookError):
    slug = "not-json"
    title = "The body is not JSON"


def status_of(error: type[errors.StoryhookError]) -> int:
    if issubclass(error, NotJson):
        return _BAD_JSON_STATUS
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


def response(error: errors.StoryhookError) -> dict[str, Any]:
    """The problem as a Lambda answer of API Gateway's payload format 2.0."""
    return {
        "statusCode": status_of(type(error)),
        "headers": {"content-type": CONTENT_TYPE},
        "body": json.dumps(problem(error)),
    }
