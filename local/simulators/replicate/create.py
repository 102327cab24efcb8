"""Reads a create request and refuses what the real API refuses."""

import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from local.simulators.catalogue import Catalogue, Model
from local.simulators.replicate import bodies
from local.simulators.targets import refusal
from local.simulators.validation import check_input

ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
EVENTS = ("start", "output", "logs", "completed")
NO_VERSION = (
    "The specified version does not exist (or perhaps you don't have permission to use it?)"
)
MAX_WAIT_SECONDS = 60
DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?")


@dataclass(frozen=True)
class Wanted:
    endpoint: str
    model: Model
    input: dict[str, Any]
    webhook: str | None
    events_filter: list[str] | None
    cancel_after: float | None
    wait_seconds: float | None


class Refused(Exception):
    def __init__(self, status_code: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status_code, self.title, self.detail = status_code, title, detail


async def read_create(request: Request, catalogue: Catalogue, *, refuse_unknown: bool) -> Wanted:
    try:
        body = await request.json()
    except ValueError as error:
        raise Refused(400, "Bad request", "The request body is not valid JSON.") from error
    if not isinstance(body, dict):
        raise _invalid("(root): Invalid type. Expected: object")
    by_model = "owner" in request.path_params
    _check_keys(body, by_model=by_model)
    endpoint, model = _model(request, catalogue, body.get("version"), by_model=by_model)
    problems = check_input(model, body["input"], refuse_unknown=refuse_unknown)
    if problems:
        told = bodies.validation_problem(problems)
        raise Refused(422, told["title"], told["detail"])
    return Wanted(
        endpoint=endpoint,
        model=model,
        input=body["input"],
        webhook=body.get("webhook"),
        events_filter=body.get("webhook_events_filter"),
        cancel_after=_cancel_after(request.headers.get("cancel-after")),
        wait_seconds=_wait_seconds(request.headers.get("prefer")),
    )


def _check_keys(body: dict[str, Any], *, by_model: bool) -> None:
    """The top level allows no other keys: correlation has to live in the webhook URL."""
    allowed = {"input", "webhook", "webhook_events_filter"} | (
        {"version"} - {by_model and "version"}
    )
    for key in body:
        if key not in allowed:
            raise _invalid(f"Additional property {key} is not allowed")
    if not by_model and not isinstance(body.get("version"), str):
        raise _invalid("version is required")
    if not isinstance(body.get("input"), dict):
        raise _invalid("input is required")
    webhook = body.get("webhook")
    if webhook is not None and (not isinstance(webhook, str) or refusal(webhook) is not None):
        raise _invalid("webhook: Must be a valid HTTPS URL")
    events = body.get("webhook_events_filter")
    if events is None:
        return
    if not isinstance(events, list) or any(event not in EVENTS for event in events):
        raise _invalid(f"webhook_events_filter: Must be one or more of {', '.join(EVENTS)}")


def _model(
    request: Request, catalogue: Catalogue, version: object, *, by_model: bool
) -> tuple[str, Model]:
    """Official models by name, all others by version: 64 hex digits or owner/name:hex."""
    if by_model:
        name = "{owner}/{name}".format(**request.path_params)
        model = catalogue.get(name)
        if model is None or not model.official:
            raise Refused(404, "Not found", "The requested resource could not be found.")
        return name, model
    wanted, _, suffix = str(version).partition(":")
    found = catalogue.by_version(suffix or wanted)
    if found is not None and (not suffix or found == wanted):
        return found, catalogue.models[found]
    model = catalogue.get(wanted)
    if model is None or not model.official or suffix:
        raise Refused(422, "Invalid version or not permitted", NO_VERSION)
    return wanted, model


def _cancel_after(header: str | None) -> float | None:
    """`90s`, `1m`, `1h30m` or plain seconds."""
    if header is None:
        return None
    match = DURATION.fullmatch(header.strip())
    if match is None or not any(match.groups()):
        raise _invalid("Cancel-After: Must be a duration such as 90s or 1m")
    hours, minutes, seconds = match.groups()
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds or 0)


def _wait_seconds(header: str | None) -> float | None:
    match = re.search(r"\bwait(?:=(\d+))?", header or "")
    if match is None:
        return None
    return min(MAX_WAIT_SECONDS, int(match.group(1) or MAX_WAIT_SECONDS))


def _invalid(text: str) -> Refused:
    return Refused(422, "Input validation failed", f"- {text}\n")
