"""What the providers say of a job, on the wire: the real examples with its own ids and URLs."""

import copy
from functools import cache
from typing import Any

from storyhook.domain.outcome import Outcome, Pending
from storyhook.providers.fal import outcome as fal
from storyhook.providers.replicate import outcome as replicate
from tests.fixtures import signing

# result of a job -> the example of its webhook
FAL = {
    "succeeded": "fal_webhook_flux2pro_edit_ok",
    "null_payload": "fal_webhook_payload_error",
    "failed": "fal_webhook_error",
    "blocked": "fal_webhook_content_policy_error",
    "blanked": "fal_webhook_flux2turbo_edit_nsfw_ok",
}
REPLICATE = {
    "succeeded": "replicate_webhook_succeeded_string_output",
    "listed": "replicate_webhook_succeeded_list_output",
    "failed": "replicate_webhook_failed_nsfw_cog",
    "blocked": "replicate_webhook_failed_nsfw_e005",
    "canceled": "replicate_webhook_canceled",
    "starting": "replicate_webhook_starting_docs",
}
GOOD = frozenset({"succeeded", "null_payload", "listed"})
_BROKEN = "CUDA out of memory. Tried to allocate 1.00 GiB."
_HOSTS = {"fal": "https://v3b.fal.media/files/b/", "replicate": "https://replicate.delivery/xezq/"}


def picture_url(provider: str, job_id: str) -> str:
    return f"{_HOSTS[provider]}{job_id}/output.png"


def webhook(provider: str, job_id: str, result: str) -> dict[str, Any]:
    """The body of the webhook that tells how the job ended."""
    return _fal(job_id, result) if provider == "fal" else _replicate(job_id, result)


def fetched(provider: str, job_id: str, result: str | None) -> Outcome:
    """What the provider answers when it is asked; None: the job is not over."""
    if result is None:
        return Pending()
    if provider == "replicate":
        return replicate.outcome(_replicate(job_id, result))
    # A payload that did not fit the webhook can be had from the result's own URL.
    return fal.delivery(_fal(job_id, "succeeded" if result == "null_payload" else result)).outcome


def _fal(job_id: str, result: str) -> dict[str, Any]:
    body: dict[str, Any]
    if result == "canceled":
        detail = [{"loc": [], "msg": "Request was cancelled", "type": "client_cancelled"}]
        error = {"status": "ERROR", "error": "Invalid status code: 499"}
        return {**error, "request_id": job_id, "payload": {"detail": detail}}
    body = copy.deepcopy(_example(FAL[result]))
    body |= {"request_id": job_id, "gateway_request_id": job_id}
    if result == "succeeded":
        body["payload"]["images"][0]["url"] = picture_url("fal", job_id)
    return body


def _replicate(job_id: str, result: str) -> dict[str, Any]:
    body = copy.deepcopy(_example(REPLICATE[result]))
    body["id"] = job_id
    if result in GOOD:
        url = picture_url("replicate", job_id)
        body["output"] = [url] if result == "listed" else url
    if result == "failed":
        body["error"] = _BROKEN
    return body


@cache
def _example(name: str) -> dict[str, Any]:
    found: dict[str, Any] = signing.example(name)
    return found
