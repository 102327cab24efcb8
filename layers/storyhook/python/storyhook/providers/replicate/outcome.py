"""What Replicate's prediction object means. Pure; used by webhook and client alike."""

import re
from typing import Any

from storyhook.domain.outcome import (
    AskProvider,
    Delivery,
    Failed,
    Failure,
    FailureKind,
    Outcome,
    Pending,
    Succeeded,
)

_STATUSES = {
    401: FailureKind.WRONG_KEY,
    402: FailureKind.NO_CREDIT,
    403: FailureKind.WRONG_KEY,
    404: FailureKind.INVALID_INPUT,
    422: FailureKind.INVALID_INPUT,
    429: FailureKind.THROTTLED,
}
# A failed prediction has nothing but free text. Partner models end it with a code such as (E005);
# open models have no code, only this sentence of cog's safety checker.
_CODE = re.compile(r"\((E\d{3})\)")
_BLOCKED_CODES = frozenset({"E005"})
_BLOCKED_TEXT = re.compile(r"\bNSFW\b|flagged as sensitive", re.IGNORECASE)


def delivery(body: Any) -> Delivery:
    """A webhook's body is the bare prediction. Unknown shapes mean: ask the provider."""
    if not isinstance(body, dict):
        return Delivery(None, AskProvider())
    provider_id, said = body.get("id"), outcome(body)
    if isinstance(said, Failed) and said.failure.kind is FailureKind.LOST_RESULT:
        # Nothing is given up by a message's word: the provider may still have the picture.
        said = AskProvider()
    return Delivery(provider_id if isinstance(provider_id, str) else None, said)


def outcome(prediction: dict[str, Any]) -> Outcome:
    error = prediction.get("error")
    match prediction.get("status"):
        case "starting" | "processing":
            return Pending()
        case "succeeded":
            return _result(prediction)
        case "failed":
            return Failed(_model_failure(str(error or "the model failed without a word")))
        case "canceled":
            return Failed(_canceled(began=prediction.get("started_at") is not None))
        case "aborted":
            detail = "Replicate did not start the prediction before its deadline."
            return Failed(Failure(FailureKind.TIMEOUT, detail, "aborted"))
        case _:
            return AskProvider()


def failure(status: int, body: Any) -> Failure:
    """An HTTP error: RFC 7807-like, keyed on its status."""
    detail = body.get("detail") if isinstance(body, dict) else None
    kind = _STATUSES.get(status)
    if kind is None:
        kind = FailureKind.UNAVAILABLE if status >= 500 else FailureKind.INVALID_INPUT
    return Failure(kind, f"Replicate: {str(detail or f'status {status}').strip()}", str(status))


def _result(prediction: dict[str, Any]) -> Outcome:
    if prediction.get("data_removed"):
        detail = "Replicate has removed the result; it may have been billed."
        return Failed(Failure(FailureKind.LOST_RESULT, detail, "data_removed"))
    output = prediction.get("output")
    # One URI or a list of them, by model.
    uris = [output] if isinstance(output, str) else output if isinstance(output, list) else []
    urls = tuple(uri for uri in uris if isinstance(uri, str))
    if not urls:
        detail = "Replicate says it succeeded, but without a picture; it may have been billed."
        return Failed(Failure(FailureKind.LOST_RESULT, detail))
    metrics = prediction.get("metrics")
    seconds = metrics.get("predict_time") if isinstance(metrics, dict) else None
    return Succeeded(
        urls, provider_seconds=float(seconds) if isinstance(seconds, int | float) else None
    )


def _canceled(*, began: bool) -> Failure:
    """Replicate bills the time that a canceled prediction ran, and nothing before it began."""
    when = "while it ran; that time may be billed" if began else "before it began"
    detail = f"Replicate canceled the prediction {when}."
    return Failure(FailureKind.CANCELED, detail, began=began)


def _model_failure(text: str) -> Failure:
    found = _CODE.search(text)
    code = found.group(1) if found else None
    if code in _BLOCKED_CODES or _BLOCKED_TEXT.search(text):
        return Failure(FailureKind.BLOCKED, f"Replicate: {text}", code or "NSFW")
    return Failure(FailureKind.UNKNOWN, f"Replicate: {text}", code)
