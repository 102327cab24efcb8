"""Everything that can be switched while a simulator runs (PATCH /_control/settings)."""

import base64
import hashlib
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
)

ImageField = Literal["content_type", "file_name", "file_size", "width", "height"]
Probability = Field(default=0.0, ge=0.0, le=1.0)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class Faults(Strict):
    """How often each thing goes wrong, from 0 (never) to 1 (always)."""

    drop: float = Probability
    double: float = Probability
    delay: float = Probability
    reorder: float = Probability
    http_429: float = Probability
    http_5xx: float = Probability
    lost_answer: float = Probability
    early_webhook: float = Probability
    fail: float = Probability
    moderation: float = Probability
    broken_image: float = Probability
    null_payload: float = Probability
    nsfw_flag: float = Probability
    detail_string: float = Probability
    stale_timestamp: float = Probability
    bad_signature: float = Probability
    refuse_auth: float = Probability
    stuck: float = Probability
    cancel_ignored: float = Probability


FAULTS = tuple(Faults.model_fields)


class Rule(Strict):
    """A fault for the jobs whose prompt contains some text, `times` times (always if null)."""

    match_prompt: str
    fault: str
    times: PositiveInt | None = None

    @field_validator("fault")
    @classmethod
    def _known(cls, fault: str) -> str:
        if fault not in FAULTS:
            raise ValueError(f"unknown fault; one of {', '.join(FAULTS)}")
        return fault


class Settings(Strict):
    """What both simulators share. Seconds are the provider's: see `speed`."""

    public_url: str = ""
    """Base of every URL in answers; empty means http://127.0.0.1:PORT."""
    speed: PositiveFloat = 1.0
    """Every wait of the provider (latency, delays, retries, deadlines) is divided by this.
    For no latency at all set latency_seconds to 0. Retention and HTTP time-outs are real."""
    latency_seconds: NonNegativeFloat | dict[str, NonNegativeFloat] | None = None
    """One number for all models, or one per endpoint; else the model's typical seconds."""
    latency_jitter: float = Field(default=0.0, ge=0.0, le=1.0)
    """Latency varies by up to this share of itself, either way."""
    slots: NonNegativeInt = 40
    """How many jobs run at once; the others wait in the queue. 0 = none starts."""
    delivery_pool: PositiveInt = 4
    seed: int = 0
    """Decides which jobs the fault probabilities hit."""
    retention_seconds: PositiveFloat = 3600.0
    """How long results can be fetched; real seconds, whatever the speed."""
    unknown_inputs: Literal["refuse", "ignore"] = "refuse"
    faults: Faults = Field(default_factory=Faults)
    rules: list[Rule] = Field(default_factory=list)
    delay_seconds: NonNegativeFloat = 30.0
    reorder_max_seconds: NonNegativeFloat = 30.0
    """A delivery held back for a later one goes out after this at the latest."""
    stale_seconds: NonNegativeFloat = 600.0
    retry_after: NonNegativeInt | None = None
    """Value of the Retry-After header on 429 and 5xx; null sends none."""
    lost_answer_status: int | None = Field(default=None, ge=500, le=599)
    """With lost_answer: null cuts the connection, else this status hides the new job."""
    http_5xx_status: int = Field(default=503, ge=500, le=599)
    refuse_auth_status: Literal[401, 402, 403] = 401
    broken_image_kind: Literal["truncated", "garbage", "html", "empty", "missing"] = "truncated"
    upload_error_status: int | None = Field(default=None, ge=400, le=599)
    """Uploads are answered with this (on fal only the first of its two ways); null = taken."""
    drawing: Literal["full", "plain"] = "full"
    """Plain leaves the scenery out: for load tests, a quarter of the CPU time."""
    models: dict[str, Any] = Field(default_factory=dict)
    """More models, in the form of the entries of schemas/*.json."""

    @classmethod
    def from_file(cls, path: Path | None) -> Self:
        if path is None:
            return cls()
        try:
            return cls.model_validate_json(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise SystemExit(f"--settings {path}: {error}") from error

    def patched(self, patch: dict[str, Any]) -> Self:
        """A copy with these values; `faults` are merged, everything else is replaced."""
        values = self.model_dump()
        faults = patch.get("faults")
        if isinstance(faults, dict):
            patch = {**patch, "faults": {**values["faults"], **faults}}
        return type(self).model_validate({**values, **patch})

    def latency_of(self, endpoint: str, typical_seconds: float) -> float:
        chosen = self.latency_seconds
        if isinstance(chosen, dict):
            chosen = chosen.get(endpoint)
        return typical_seconds if chosen is None else chosen


class FalSettings(Settings):
    key: str = "sim-fal-key"
    user_id: str = "github|storyhook-simulator"
    key_count: PositiveInt = 2
    """How many keys the JWKS shows, oldest first."""
    signing_key: NonNegativeInt = 1
    """Which of them signs. A verifier must try them all."""
    jwks_padded: bool = False
    jwks_kid: bool = False
    oldest_key: NonNegativeInt = 0
    """Counted up by /_control/rotate-keys: the oldest key leaves, a new one comes."""
    retry_timestamp: Literal["fresh", "first"] = "fresh"
    """Whether a retried delivery carries a new timestamp is not documented: try both."""
    image_fields: tuple[ImageField, ...] = ("content_type",)
    """Only `url` is guaranteed in an image object; flux-2-pro is seen with content_type."""
    fail_error_type: str = "runner_disconnected"
    pending_status_code: Literal[200, 202] = 202
    expired_status: Literal["gone", "kept"] = "gone"
    """Whether the status, with its error_type, outlives the result is not documented."""
    webhook_on_cancel: bool = True


def _fixed_secret() -> str:
    """A test value that stays the same from start to start."""
    digest = hashlib.sha256(b"TEST ONLY storyhook simulator webhook secret").digest()
    return "whsec_" + base64.b64encode(digest[:24]).decode()


class ReplicateSettings(Settings):
    token: str = "sim-replicate-token"
    webhook_secret: str = Field(default_factory=_fixed_secret)
    old_signature_first: bool = False
    """Two signature entries, the first by a secret nobody knows any more (key rotation)."""
    start_events: bool = True
    """A start event is sent even with the filter ["completed"] (2023 changelog)."""
    webhook_on_aborted: bool = False
    throttle_wording: Literal["resets", "expected"] = "resets"
    retry_after_in_body: bool = False
