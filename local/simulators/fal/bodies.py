"""The JSON bodies that fal sends: submit answer, status, results and errors."""

from dataclasses import dataclass, field
from typing import Any

from local.simulators.files import StoredFile
from local.simulators.jobs import Job, timestamp
from local.simulators.settings import FalSettings
from local.simulators.validation import Problem

INFRASTRUCTURE = {
    "request_timeout": (504, "Request timed out"),
    "startup_timeout": (504, "Runner startup timed out"),
    "runner_scheduling_failure": (503, "Failed to schedule a runner"),
    "runner_connection_timeout": (503, "Connection to the runner timed out"),
    "runner_disconnected": (503, "Runner disconnected"),
    "runner_connection_refused": (503, "Runner refused the connection"),
    "runner_connection_error": (503, "Error while connecting to the runner"),
    "runner_incomplete_response": (502, "Runner sent an incomplete response"),
    "runner_server_error": (500, "Runner server error"),
    "internal_error": (500, "Internal error"),
    "client_cancelled": (499, "Request was cancelled by the client"),
}
MESSAGES = {
    "value_error.missing": "field required",
    "value_error.extra": "extra fields not permitted",
    "one_of": "Input should be one of the allowed values",
    "sequence_too_long": "Input has too many items",
    "sequence_too_short": "Input is too short",
    "greater_than_equal": "Input should be greater than or equal to the minimum",
    "less_than_equal": "Input should be less than or equal to the maximum",
    "multiple_of": "Input should be a multiple of the step",
    "file_download_error": "Failed to download the file. Please check that the URL is accessible.",
    "file_too_large": "The file is too large.",
    "image_load_error": "Failed to load the image. Please check that the file is a valid image.",
}
FLAGGED = "The content was flagged by a content checker."
NOT_SERIALIZABLE = (
    "Response payload is not JSON serializable. Either return a JSON serializable object "
    "or use the queue endpoint to retrieve the response."
)


@dataclass(frozen=True)
class Failure:
    """How a failed job answers on the result URL, in the status and in the webhook."""

    status_code: int
    body: dict[str, Any]
    error: str
    error_type: str
    headers: dict[str, str] = field(default_factory=dict)


def urls(base: str, job: Job) -> dict[str, str]:
    """The ROOT app without the sub-path: what real answers show for nested endpoint ids."""
    root = "/".join(job.endpoint.split("/")[:2])
    response_url = f"{base}/{root}/requests/{job.id}"
    return {
        "response_url": response_url,
        "status_url": f"{response_url}/status",
        "cancel_url": f"{response_url}/cancel",
    }


def submit_answer(base: str, job: Job, position: int) -> dict[str, Any]:
    return {
        "status": "IN_QUEUE",
        "request_id": job.id,
        **urls(base, job),
        "logs": None,
        "metrics": {},
        "queue_position": position,
    }


def status(
    base: str, job: Job, position: int, settings: FalSettings, *, with_logs: bool
) -> dict[str, Any]:
    logs = [
        {"message": text, "level": "INFO", "source": "USER", "timestamp": timestamp(at)}
        for at, text in job.logs
    ]
    body: dict[str, Any] = {"request_id": job.id, **urls(base, job)}
    body |= {"logs": logs if with_logs else None, "metrics": {}}
    if job.outcome is None and job.started_at is None:
        return {"status": "IN_QUEUE", "queue_position": position, **body}
    if job.outcome is None:
        return {"status": "IN_PROGRESS", **body}
    body["metrics"] = {"inference_time": inference_time(job, settings)}
    failed = failure(job, settings)
    if failed is not None:
        body |= {"error": failed.error, "error_type": failed.error_type}
    return {"status": "COMPLETED", **body}


def inference_time(job: Job, settings: FalSettings) -> float:
    """In the provider's own seconds, whatever the speed of the simulation."""
    if job.started_at is None or job.completed_at is None:
        return 0.0
    return round((job.completed_at - job.started_at) * settings.speed, 3)


def output(base: str, job: Job, settings: FalSettings) -> dict[str, Any]:
    assert job.outcome is not None
    images = [_image(base, picture, settings) for picture in job.outcome.pictures]
    body: dict[str, Any] = (
        {"image": images[0]} if job.model.output == "image" else {"images": images}
    )
    if job.model.reports_seed:
        body["seed"] = job.seed
    if job.model.description:
        body["description"] = f"A simulated picture: {job.prompt}"
    flagged = job.outcome.kind == "nsfw"
    if job.model.reports_nsfw or flagged:
        body |= {"has_nsfw_concepts": [flagged] * len(images), "prompt": job.prompt}
        body["timings"] = {"inference": inference_time(job, settings)}
    return body


def failure(job: Job, settings: FalSettings) -> Failure | None:
    """None if the job ended well (a safety flag counts as well, as on fal)."""
    outcome = job.outcome
    assert outcome is not None
    match outcome.kind:
        case "succeeded" | "nsfw":
            return None
        case "invalid" | "bad_reference":
            return _model_error(job, [_detail(problem) for problem in outcome.problems])
        case "moderation":
            detail = _detail(Problem(("prompt",), "content_policy_violation"), FLAGGED)
            return _model_error(job, [{**detail, "input": {"prompt": job.prompt}}])
        case "canceled":
            return _infrastructure("client_cancelled")
        case "timeout" | "aborted":
            return _infrastructure("request_timeout", {"X-Fal-Request-Timeout-Type": "user"})
        case _:
            return _infrastructure(settings.fail_error_type)


def webhook(base: str, job: Job, settings: FalSettings) -> dict[str, Any]:
    failed = failure(job, settings)
    body: dict[str, Any] = {"request_id": job.id, "gateway_request_id": job.id}
    if failed is None:
        body |= {"status": "OK", "payload": output(base, job, settings)}
    else:
        body |= {"status": "ERROR", "error": f"Invalid status code: {failed.status_code}"}
        body["payload"] = failed.body
    if "null_payload" in job.faults:
        body |= {"payload": None, "payload_error": NOT_SERIALIZABLE}
    return body


def _image(base: str, picture: StoredFile, settings: FalSettings) -> dict[str, Any]:
    known = {
        "content_type": picture.media_type,
        "file_name": picture.route.rsplit("/", 1)[-1],
        "file_size": picture.bytes,
        "width": picture.size[0],
        "height": picture.size[1],
    }
    return {"url": f"{base}/{picture.route}"} | {
        name: known[name] for name in settings.image_fields
    }


def _detail(problem: Problem, message: str | None = None) -> dict[str, Any]:
    words = message or MESSAGES.get(problem.kind, "Input has the wrong type")
    detail: dict[str, Any] = {
        "loc": ["body", *problem.path],
        "msg": words,
        "type": problem.kind,
        "url": f"https://docs.fal.ai/errors/#{problem.kind}",
    }
    if problem.limits:
        detail["ctx"] = problem.limits
    if problem.kind != "value_error.missing":
        detail["input"] = problem.value
    return detail


def _model_error(job: Job, details: list[dict[str, Any]]) -> Failure:
    first = details[0]
    body: dict[str, Any] = {"detail": details}
    if "detail_string" in job.faults:  # "not all endpoints strictly follow" the list form
        body = {"detail": first["msg"]}
    return Failure(422, body, first["msg"], first["type"], {"X-Fal-Retryable": "false"})


def _infrastructure(error_type: str, headers: dict[str, str] | None = None) -> Failure:
    status_code, text = INFRASTRUCTURE.get(error_type, (500, "Internal error"))
    body = {"detail": text, "error_type": error_type}
    return Failure(
        status_code, body, text, error_type, {"X-Fal-Error-Type": error_type, **(headers or {})}
    )
