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
    "file_download_error": FailureKind.BAD_REFERENCE,
    "file_too_large": FailureKind.BAD_REFERENCE,
    "face_detection_error": FailureKind.BAD_REFERENCE,
    "unsupported_image_format": FailureKind.BAD_REFERENCE,
    "no_media_generated": FailureKind.UNKNOWN,
    "internal_server_error": FailureKind.UNAVAILABLE,
    "downstream_service_error": FailureKind.UNAVAILABLE,
    "downstream_service_unavailable": FailureKind.UNAVAILABLE,
    "generation_timeout": FailureKind.TIMEOUT,
    "request_timeout": FailureKind.TIMEOUT,
    "startup_timeout": FailureKind.TIMEOUT,
    "client_cancelled": FailureKind.CANCELED,
    "client_disconnected": FailureKind.CANCELED,
    "bad_request": FailureKind.INVALID_INPUT,
    "internal_error": FailureKind.UNAVAILABLE,
}
_STATUSES = {
    401: FailureKind.CONFIG,
    402: FailureKind.CONFIG,
    403: FailureKind.CONFIG,
    404: FailureKind.INVALID_INPUT,
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
        found = _STATUS_IN_ERROR.search(str(body.get("error", "")))
        status = int(found.group(1)) if found else 500
        return Delivery(provider_id, Failed(failure(status, payload)))
    if body.get("status") == "OK" and isinstance(payload, dict):
        return Delivery(provider_id, result(payload))
    # OK with a null payload: it succeeded and was billed, but the result is elsewhere.
    return Delivery(provider_id, AskProvider())


def result(payload: dict[str, Any]) -> Outcome:
    """A model's output."""
    flags = payload.get("has_nsfw_concepts")
    if isinstance(flags, list) and any(flag is True for flag in flags):
        detail = "The provider's safety checker blanked the picture; change the prompt."
        return Failed(Failure(FailureKind.BLOCKED, detail, "has_nsfw_concepts"))
    images = payload.get("images", [payload.get("image")])
    urls = [
        image["url"]
        for image in (images if isinstance(images, list) else [])
        if isinstance(image, dict) and isinstance(image.get("url"), str)
    ]
    if not urls:
        return Failed(Failure(FailureKind.UNKNOWN, "The provider's answer holds no picture."))
    seed = payload.get("seed")
    return Succeeded(tuple(urls), seed if isinstance(seed, int) else None)


def failure(status: int, body: Any) -> Failure:
    """An error body with its HTTP status; keyed on fal's own types."""
    detail = body.get("detail") if isinstance(body, dict) else None
    code: str | None = None
    text = detail if isinstance(detail, str) else ""
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        code = str(detail[0].get("type") or "") or None
        place = ".".join(str(part) for part in detail[0].get("loc") or [])
        text = ": ".join(part for part in (place, str(detail[0].get("msg") or "")) if part)
    elif isinstance(body, dict) and body.get("error_type"):
        code = str(body["error_type"])
    return Failure(_kind(status, code), f"fal: {text or f'status {status}'}", code)


def _kind(status: int, code: str | None) -> FailureKind:
    if code in _KINDS:
        return _KINDS[code]
    if code and code.startswith("runner_"):
        return FailureKind.UNAVAILABLE
    if status in _STATUSES:
        return _STATUSES[status]
    if 400 <= status < 500:
        return FailureKind.INVALID_INPUT
    return FailureKind.UNAVAILABLE if status >= 500 else FailureKind.UNKNOWN
