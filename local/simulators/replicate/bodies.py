"""The JSON bodies that Replicate sends: the prediction object and its errors."""

from collections.abc import Sequence
from typing import Any

from local.simulators.jobs import Job, timestamp
from local.simulators.settings import ReplicateSettings
from local.simulators.validation import Problem, json_type

TERMINAL = ("succeeded", "failed", "canceled", "aborted")
FAILURES = {
    "moderation": "The input or output was flagged as sensitive. "
    "Please try again with different inputs. (E005)",
    "nsfw": "NSFW content detected. Try running it again, or try a different prompt.",
    "failed": "Prediction interrupted; please retry (code: PA)",
}


def status(job: Job) -> str:
    if job.outcome is None:
        return "starting" if job.started_at is None else "processing"
    kind = job.outcome.kind
    return kind if kind in TERMINAL else "failed"


def prediction(base: str, job: Job, settings: ReplicateSettings) -> dict[str, Any]:
    """The bare object: the same in answers and in webhooks."""
    removed = job.expired(settings.retention_seconds)
    at = f"{base}/v1/predictions/{job.id}"
    body: dict[str, Any] = {
        "id": job.id,
        "model": job.endpoint,
        "version": job.model.version or "hidden",
        "input": {} if removed else job.input,
        "logs": None if removed else _logs(job),
        "output": None if removed else output(base, job),
        "data_removed": removed,
        "error": _error(job),
        "status": status(job),
        "created_at": timestamp(job.created_at),
        "started_at": timestamp(job.started_at),
        "completed_at": timestamp(job.completed_at),
        "metrics": _metrics(job, settings),
        "urls": {"cancel": f"{at}/cancel", "get": at, "web": f"https://replicate.com/p/{job.id}"},
    }
    if job.webhook_url is not None:
        body["webhook"] = job.webhook_url
        if job.events_filter is not None:
            body["webhook_events_filter"] = job.events_filter
    if job.run_deadline is not None:
        body["deadline"] = timestamp(job.created_at + job.run_deadline / settings.speed)
    return body


def output(base: str, job: Job) -> str | list[str] | None:
    """One URI as a string, or a list of them, as the model's schema says."""
    if job.outcome is None or job.outcome.kind != "succeeded":
        return None
    urls = [f"{base}/{picture.route}" for picture in job.outcome.pictures]
    return urls if job.model.output == "list" else urls[0]


def problem(status_code: int, title: str, detail: str) -> dict[str, Any]:
    return {"title": title, "detail": detail, "status": status_code}


def validation_problem(problems: Sequence[Problem]) -> dict[str, Any]:
    lines = "".join(f"- {_sentence(each)}\n" for each in problems)
    return problem(422, "Input validation failed", lines)


def _sentence(each: Problem) -> str:
    """In the words of the JSON-schema checker that Replicate uses."""
    name = ".".join(["input", *(str(part) for part in each.path)])
    parent = name.rpartition(".")[0]
    limit = next(iter(each.limits.values()), None)
    match each.kind:
        case "value_error.missing":
            return f"{parent}: {each.path[-1]} is required"
        case "value_error.extra":
            return f"{parent}: Additional property {each.path[-1]} is not allowed"
        case "one_of":
            allowed = ", ".join(f'"{value}"' for value in limit or [])
            return f"{name}: {name} must be one of the following: {allowed}"
        case "sequence_too_long":
            return f"{name}: Array must have at most {limit} items"
        case "sequence_too_short":
            return f"{name}: Array must have at least {limit} items"
        case "greater_than_equal":
            return f"{name}: Must be greater than or equal to {limit:g}"
        case "less_than_equal":
            return f"{name}: Must be less than or equal to {limit:g}"
        case "multiple_of":
            return f"{name}: Must be a multiple of {limit}"
        case "format":
            return f"{name}: Does not match format '{limit}'"
        case _:
            return f"{name}: Invalid type. Expected: {limit}, given: {json_type(each.value)}"


def _error(job: Job) -> str | None:
    outcome = job.outcome
    if outcome is None or (outcome.kind in TERMINAL and outcome.kind != "failed"):
        return None
    if outcome.kind == "bad_reference":
        url = outcome.problems[0].value
        return f"Failed to download input file {url}: {outcome.message}"
    return outcome.message or FAILURES.get(outcome.kind, "Prediction failed.")


def _metrics(job: Job, settings: ReplicateSettings) -> dict[str, Any]:
    """In the provider's own seconds, whatever the speed of the simulation."""
    if job.completed_at is None or job.started_at is None:
        return {}
    return {
        "predict_time": round((job.completed_at - job.started_at) * settings.speed, 6),
        "total_time": round((job.completed_at - job.created_at) * settings.speed, 6),
    }


def _logs(job: Job) -> str:
    lines = [text for _, text in job.logs]
    if lines and "seed" in job.model.input:
        lines.insert(0, f"Using seed: {job.seed}")
    return "".join(f"{line}\n" for line in lines)
