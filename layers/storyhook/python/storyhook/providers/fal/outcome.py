"""What fal's JSON means. Pure; used by the webhook side and by the client side.

fal has no FAILED status: a failed job is COMPLETED, or a webhook with status ERROR, and the reason
is in `detail[].type` (models) or `error_type` (infrastructure). Texts are never looked at.
"""

import re
from typing import Any

from storyhook.domain.outcome import (
    AskProvider,
    Delivery,
    Failed,
    Failure,
    FailureKind,
    Outcome,
    Succeeded,
)

_KINDS = {
    "content_policy_violation": FailureKind.BLOCKED,
    "image_too_small": FailureKind.BAD_REFERENCE,
    "image_too_large": FailureKind.BAD_REFERENCE,
    "image_load_error": FailureKind.BAD_REFERENCE,
    "file_too_large": FailureKind.BAD_REFERENCE,
    "face_detection_error": FailureKind.BAD_REFERENCE,
    "unsupported_image_format": FailureKind.BAD_REFERENCE,
    "file_download_error": FailureKind.REFERENCE_NOT_FETCHED,
    # Often a soft block; another seed may do.
    "no_media_generated": FailureKind.UNKNOWN,
    "internal_server_error": FailureKind.UNAVAILABLE,
    "downstream_service_error": FailureKind.UNAVAILABLE,
    "downstream_service_unavailable": FailureKind.UNAVAILABLE,
    "internal_error": FailureKind.UNAVAILABLE,
    # fal's own connection to the runner: nobody of ours waits for a queued job.
    "client_disconnected": FailureKind.UNAVAILABLE,
    "generation_timeout": FailureKind.TIMEOUT,
    "request_timeout": FailureKind.TIMEOUT,
    "startup_timeout": FailureKind.TIMEOUT,
    "client_cancelled": FailureKind.CANCELED,
    "concurrent_requests_limit": FailureKind.THROTTLED,
    **dict.fromkeys(
        (
            *("bad_request", "greater_than", "greater_than_equal", "less_than", "less_than_equal"),
            *("multiple_of", "sequence_too_short", "sequence_too_long", "one_of"),
            "feature_not_supported",
        ),
        FailureKind.INVALID_INPUT,
    ),
}
_FAMILIES = {
    "runner_": FailureKind.UNAVAILABLE,
    "value_error": FailureKind.INVALID_INPUT,
    "type_error": FailureKind.INVALID_INPUT,
}
_STATUSES = {
    401: FailureKind.WRONG_KEY,
    402: FailureKind.NO_CREDIT,
    # Locked for want of credit, or not allowed: fal does not say which.
    403: FailureKind.ACCOUNT,
    404: FailureKind.INVALID_INPUT,
    429: FailureKind.THROTTLED,
    499: FailureKind.CANCELED,
    504: FailureKind.TIMEOUT,
}
# The webhook tells the HTTP status only inside this fixed sentence.
_STATUS_IN_ERROR = re.compile(r"status code: (\d{3})")


def delivery(body: Any) -> Delivery:
    """A webhook's body. Unknown shapes mean: ask the provider."""
    if not isinstance(body, dict):
        return Delivery(None, AskProvider())
    provider_id = body.get("request_id")
    provider_id = provider_id if isinstance(provider_id, str) else None
    payload = body.get("payload")
    if body.get("status") == "ERROR":
        status = _status_in(str(body.get("error", "")))
        return Delivery(provider_id, Failed(failure(status, payload)))
    if body.get("status") == "OK" and isinstance(payload, dict):
        return Delivery(provider_id, result(payload))
    # OK with a null payload: it succeeded and was billed, but the result is elsewhere.
    return Delivery(provider_id, AskProvider())


def result(payload: dict[str, Any]) -> Outcome:
    """A model's output. Of several pictures those that the safety checker blanked are left out."""
    images = payload.get("images", [payload.get("image")])
    images = images if isinstance(images, list) else []
    flags = payload.get("has_nsfw_concepts")
    blanked = flags.count(True) if isinstance(flags, list) else 0
    if isinstance(flags, list) and blanked:
        if blanked == len(flags) or len(flags) != len(images):
            detail = "The provider's safety checker blanked the picture; change the prompt."
            return Failed(Failure(FailureKind.BLOCKED, detail, "has_nsfw_concepts"))
        images = [image for image, flag in zip(images, flags, strict=True) if flag is not True]
    urls = [
        image["url"]
        for image in images
        if isinstance(image, dict) and isinstance(image.get("url"), str)
    ]
    if not urls:
        detail = "fal says it succeeded, but its answer holds no picture; it may have been billed."
        return Failed(Failure(FailureKind.LOST_RESULT, detail))
    seed = payload.get("seed")
    return Succeeded(tuple(urls), seed if isinstance(seed, int) else None, blanked=blanked)


def failure(status: int, body: Any) -> Failure:
    """An error body with its HTTP status; keyed on fal's own types."""
    detail = body.get("detail") if isinstance(body, dict) else None
    text = detail if isinstance(detail, str) else ""
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        place = ".".join(str(part) for part in detail[0].get("loc") or [])
        text = ": ".join(part for part in (place, str(detail[0].get("msg") or "")) if part)
    code = error_type(body)
    kind = _kind(status, code)
    # Of what is canceled fal does not say whether it had begun.
    began = kind is FailureKind.CANCELED
    return Failure(kind, f"fal: {text or f'status {status}'}", code, began)


def error_type(body: Any) -> str | None:
    """fal's own type of an error: a model's `detail[].type`, or a flat one."""
    if not isinstance(body, dict):
        return None
    detail = body.get("detail")
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        return str(detail[0].get("type") or "") or None
    return str(body.get("error_type") or body.get("type") or "") or None


def told_by_status(body: dict[str, Any]) -> Failure | None:
    """The failure that a COMPLETED status itself tells of: `error` and `error_type`."""
    if not body.get("error") and not body.get("error_type"):
        return None
    text = str(body.get("error") or "")
    return failure(_status_in(text), {"detail": text, "error_type": body.get("error_type")})


def _status_in(text: str) -> int:
    found = _STATUS_IN_ERROR.search(text)
    return int(found.group(1)) if found else 500


def _kind(status: int, code: str | None) -> FailureKind:
    if code in _KINDS:
        return _KINDS[code]
    for family, kind in _FAMILIES.items():
        if code and code.startswith(family):
            return kind
    if status in _STATUSES:
        return _STATUSES[status]
    if 400 <= status < 500:
        return FailureKind.INVALID_INPUT
    return FailureKind.UNAVAILABLE if status >= 500 else FailureKind.UNKNOWN
