"""What the API shows, against the field lists of the HTTP contract."""

import dataclasses
import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from storyhook.domain import callback as callbacks
from storyhook.domain import library_views, model_views, views
from storyhook.domain.images import StoredImage
from storyhook.domain.outcome import Failure, FailureKind, ProviderHandle
from storyhook.domain.prediction import Prediction, Status
from storyhook.domain.storyboard import BoardStatus, SceneState
from storyhook.usecases import tell
from tests.fixtures import makers
from tests.fixtures.clock import NOW

LATER = NOW + timedelta(hours=1)
PICTURE = StoredImage("images/acme/x/0.png", "image/png", 1344, 768, 1480221, "ab" * 32)


def sign(key: str) -> tuple[str, datetime]:
    return f"https://bucket.example/{key}?signature", LATER


def succeeded(**values: Any) -> Prediction:
    return makers.prediction(
        Status.SUCCEEDED,
        **{
            "handle": ProviderHandle("764cabcf"),
            "images": (PICTURE,),
            "cost_actual": Decimal("0.045"),
            "submitted_at": NOW + timedelta(seconds=1),
            "storing_at": NOW + timedelta(seconds=10),
            "completed_at": NOW + timedelta(seconds=10.5),
            **values,
        },
    )


PREDICTION = {
    *("id", "status", "model", "provider", "provider_id", "input", "output", "error", "cost"),
    *("metrics", "storyboard_id", "scene_id", "candidate", "urls", "created_at", "submitted_at"),
    *("completed_at", "replaces", "replaced_by", "cancellation"),
}
BOARD = {
    *("id", "title", "status", "progress", "cost", "scenes", "warnings", "urls", "created_at"),
    *("completed_at", "cancellation", "character_versions"),
}
SCENE = {
    *("id", "position", "status", "caption", "characters", "prompt", "model", "seed", "image"),
    *("chosen", "candidates", "fallbacks", "references", "left_out", "cost", "metrics", "error"),
    "cancellation",
}
CHARACTER = {
    *("id", "name", "description", "outfit", "kind", "references", "version", "created_at"),
    "updated_at",
}
REFERENCE = {"id", "role", "angle", "status", "width", "height", "sha256", "url"}
MODEL = {
    *("id", "aliases", "provider", "endpoint", "references", "aspect_ratios", "price"),
    *("typical_seconds", "consistency", "best_for", "note"),
}
METRICS = {"queue_seconds", "provider_seconds", "store_seconds", "total_seconds"}


def test_a_finished_prediction() -> None:
    row = succeeded(seed_returned=12345)
    shown = views.prediction(row, sign)
    assert set(shown) == PREDICTION
    at = f"/predictions/{row.id}"
    assert shown["urls"] == {"self": at, "cancel": f"{at}/cancel"}
    assert shown["output"] == {
        "images": [
            {
                "url": "https://bucket.example/images/acme/x/0.png?signature",
                "expires_at": "2026-01-01T01:00:10.000Z",
                "content_type": "image/png",
                "width": 1344,
                "height": 768,
                "bytes": 1480221,
                "sha256": "ab" * 32,
            }
        ],
        "seed": 12345,
    }
    assert shown["cost"] == {"estimated": "0.0450", "actual": "0.0450", "max": None}
    assert shown["metrics"] == {
        "queue_seconds": 1.0,
        "provider_seconds": 9.0,
        "store_seconds": 0.5,
        "total_seconds": 10.5,
    }
    assert (shown["error"], shown["provider_id"]) == (None, "764cabcf")
    assert {"prompt", "seed", "references", "left_out", "payload"} <= shown["input"].keys()
    [reference] = shown["input"]["references"]
    assert {"position", "character", "role", "reference_id"} <= reference.keys()
    assert (reference["position"], reference["character"]) == (1, "elena")


def test_a_prediction_shows_no_secret_and_no_key_of_ours() -> None:
    row = succeeded(
        token="secret-of-the-url",
        task_token="secret-of-the-workflow",
        callback_url="https://customer.example/secret",
        key_id="key_1",
    )
    text = json.dumps(views.prediction(row, sign))
    for hidden in ("secret", "references/acme", "key_1", "tenant", "X-Amz"):
        assert hidden not in text


def test_a_running_prediction_is_full_of_nulls() -> None:
    shown = views.prediction(makers.prediction(Status.QUEUED), sign)
    assert set(shown) == PREDICTION
    assert shown["status"] == "queued"
    assert set(shown["metrics"]) == METRICS
    assert set(shown["metrics"].values()) == {None}
    nulls = ["output", "error", "provider_id", "storyboard_id", "submitted_at", "completed_at"]
    nulls += ["replaces", "replaced_by"]
    assert [shown[name] for name in nulls] == [None] * len(nulls)
    assert shown["cost"]["actual"] is None


def test_a_blocked_prediction_says_why() -> None:
    failure = Failure(FailureKind.BLOCKED, "fal: flagged", "content_policy_violation")
    shown = views.prediction(makers.prediction(Status.BLOCKED, failure=failure), sign)
    assert shown["status"] == "blocked"
    assert shown["error"] == {
        "type": "/problems/blocked-by-moderation",
        "title": "Blocked by the provider's moderation",
        "detail": "fal: flagged",
        "retryable": False,
        "provider_code": "content_policy_violation",
    }


def board_of(*rows: Prediction, **values: Any) -> dict[str, Any]:
    board, scenes = makers.board(*((row,) for row in rows), **values)
    pairs = zip(scenes, rows, strict=True)
    return views.storyboard(board, [SceneState(scene, (row,)) for scene, row in pairs], sign)


def test_a_board() -> None:
    done, running = succeeded(), makers.prediction()
    shown = board_of(done, running)
    assert set(shown) == BOARD
    assert shown["urls"].keys() == {"self", "events", "cancel"}
    assert shown["cost"].keys() == {"estimated", "actual", "max"}
    assert shown["progress"] == {
        "total": 2, "succeeded": 1, "failed": 0, "blocked": 0, "running": 1,
    }  # fmt: skip
    first, second = shown["scenes"]
    assert first.keys() >= SCENE
    assert (first["chosen"], first["candidates"]) == (done.id, [done.id])
    assert first["image"]["width"] == 1344
    assert (second["status"], second["image"], second["chosen"]) == ("running", None, None)


def test_a_character() -> None:
    shown = library_views.character(makers.character(), sign)
    assert shown.keys() >= CHARACTER
    [reference] = shown["references"]
    assert set(reference) == REFERENCE
    assert reference["url"] == "https://bucket.example/references/acme/ref_elena_0.png?signature"
    assert "tenant" not in shown


@pytest.mark.parametrize("name", makers.MODELS.models)
def test_a_model(name: str) -> None:
    shown = model_views.model(makers.MODELS.models[name])
    assert shown.keys() >= MODEL
    assert set(shown["price"]) == {"rule", "unit_price", "as_of", "grade", "example"}
    assert shown["references"].keys() >= {"kind", "max"}
    assert json.dumps(shown)
    known = makers.MODELS.models[name].price.rule != "unknown"
    assert (shown["price"]["example"]["cost"] is not None) == known


def test_the_comparison_of_the_models_first_named() -> None:
    """The table of six that the project began with, at the prices that were found since."""
    six = {
        "fal-flux2-turbo-edit": ("0.0160", 6, "Good", "Prototyping, high volume"),
        "fal-flux-general-ip": ("0.0750", 15, "Very Good", "Dev work, single character"),
        "fal-flux2-pro-edit": ("0.0450", 10, "Excellent", "Production, multi-character"),
        "rep-flux-schnell": ("0.0030", 3, "Fair", "Quick iterations"),
        "rep-flux-dev": ("0.0250", 12, "Good", "Balanced quality/cost"),
        "rep-flux-11-pro": ("0.0400", 8, "Very Good", "Production quality"),
    }
    shown = {row["id"]: row for row in model_views.models(makers.MODELS.models.values(), "price")}
    for name, (price, seconds, consistency, best_for) in six.items():
        row = shown[name]
        assert row["price"]["example"]["cost"] == price
        assert row["typical_seconds"] == seconds
        assert (row["consistency"], row["best_for"]) == (consistency, best_for)
    order = [name for name in shown if name in six]
    assert order == sorted(six, key=lambda name: float(six[name][0]))
    assert list(shown).index("rep-flux-schnell") == 0
    unknown = [row["price"]["example"]["cost"] is None for row in shown.values()]
    assert unknown == sorted(unknown), "what is not known comes last"


@pytest.mark.parametrize("sort", ["speed", "consistency"])
def test_models_are_sorted(sort: str) -> None:
    rows = model_views.models(makers.MODELS.models.values(), sort)
    if sort == "speed":
        assert [row["typical_seconds"] for row in rows] == sorted(
            row["typical_seconds"] for row in rows
        )
    else:
        assert rows[0]["consistency"] == "Excellent"


def test_times_are_utc_with_a_z() -> None:
    assert views.timestamp(NOW) == "2026-01-01T00:00:10.000Z"
    assert views.timestamp(None) is None


@pytest.mark.parametrize("scenes", [1, 200, 1000])
def test_a_callback_stays_under_256_kib(scenes: int) -> None:
    row = succeeded()
    prompt = dataclasses.replace(row, input={**row.input, "prompt": "p" * 3000})
    data = board_of(*[prompt] * scenes, status=BoardStatus.SUCCEEDED)
    text = tell._body(callbacks.STORYBOARD_COMPLETED, NOW, 1, data)
    assert len(text.encode()) <= callbacks.MAX_BODY_BYTES
    event = json.loads(text)
    assert event["type"] == "storyboard.completed"
    assert event["timestamp"] == "2026-01-01T00:00:10.000Z"
    assert event["data"]["urls"]["self"] == data["urls"]["self"]
    assert [scene["status"] for scene in event["data"]["scenes"]] == ["succeeded"] * scenes
    assert ("prompt" in event["data"]["scenes"][0]) == (scenes == 1)


@pytest.mark.parametrize(
    ("status", "in_time"),
    [
        (Status.QUEUED, None),
        (Status.SUBMITTING, None),
        (Status.SUBMITTED, None),
        (Status.STORING, False),
        (Status.SUCCEEDED, False),
        (Status.FAILED, False),
        (Status.BLOCKED, False),
        (Status.EXPIRED, False),
        (Status.CANCELED, True),
    ],
)
def test_a_cancellation_says_whether_it_was_in_time(status: Status, in_time: bool | None) -> None:
    images = succeeded().images if status is Status.SUCCEEDED else ()
    row = makers.prediction(status, cancel_requested_at=NOW, images=images)
    wanted = {"requested_at": "2026-01-01T00:00:10.000Z", "in_time": in_time}
    assert views.prediction(row, sign)["cancellation"] == wanted
    assert board_of(row)["scenes"][0]["cancellation"] == wanted
    never_asked = makers.prediction(status, images=images)
    assert views.prediction(never_asked, sign)["cancellation"] is None


def test_what_was_sent_before_may_have_been_too_late() -> None:
    row = makers.prediction(Status.CANCELED, cancel_requested_at=NOW, unknown_outcomes=1)
    assert views.prediction(row, sign)["cancellation"]["in_time"] is None


def test_a_canceled_board_counts_its_canceled_scenes() -> None:
    canceled = makers.prediction(Status.CANCELED, cancel_requested_at=NOW)
    shown = board_of(succeeded(), canceled, canceled, cancel_requested_at=NOW)
    assert shown["cancellation"] == {"requested_at": "2026-01-01T00:00:10.000Z", "canceled": 2}
    assert board_of(succeeded(), canceled)["cancellation"] is None
