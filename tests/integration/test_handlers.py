"""Every function on every event of events/, against the template's table, bucket and queues.

Events are signed for a fixed moment (fixtures/clock.py), so the functions' clock stands still.
"""

import base64
import gzip
import html
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import pytest

from storyhook.aws import clients
from storyhook.aws.bucket import Bucket
from storyhook.aws.predictions import prediction_key
from storyhook.domain.callback import CallbackStatus
from storyhook.domain.outcome import Failure, FailureKind
from storyhook.domain.prediction import Status
from storyhook.domain.storyboard import BoardStatus
from storyhook.providers.callbacks import callback_secret
from tests.fixtures import events, functions, makers, template
from tests.fixtures.clock import NOW, Clock
from tests.fixtures.cloud import MASTER_KEY, Cloud
from tests.fixtures.functions import FUNCTIONS, Stage
from tools.pages import errors_page

FILES = sorted(events.FOLDER.glob("*/*.json"))
JOB = events.JOBS["replicate"]
NAMES = [f"{path.parent.name}/{path.stem}" for path in FILES]


@pytest.fixture
def stage(cloud: Cloud, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with functions.staged(cloud, clock, monkeypatch) as stage:
        yield stage


Run = Callable[[], Any]


read = events.read


SEEN: set[str] = set()
REFUSED: dict[str, tuple[int, str, list[str]]] = {
    # event: status, problem, paths of the fields that are wrong. Nothing else may happen.
    "api/create_character_bad_picture": (422, "bad-reference", ["references[0].url"]),
    "api/create_storyboard_unknown_character": (
        422,
        "unknown-character",
        ["scenes[0].characters[1]", "scenes[1].characters[0]"],
    ),
    "api/create_storyboard_no_scenes": (422, "invalid-request", ["scenes"]),
    "api/create_storyboard_events_without_url": (422, "invalid-request", ["callback_events"]),
    "api/create_storyboard_unknown_event": (422, "invalid-request", ["callback_events"]),
    "api/create_export_of_a_running_board": (409, "storyboard-running", []),
    "api/create_export_option_of_another_format": (422, "invalid-request", [""]),
    "api/get_export_unknown": (404, "not-found", []),
    "api/get_callback_unknown": (404, "not-found", []),
    "api/list_callbacks_of_elena": (422, "invalid-request", ["status", "subject"]),
    "api/get_prediction_unknown": (404, "not-found", []),
    "api/list_characters_of_a_kind_unknown": (422, "invalid-request", ["kind"]),
    "api/get_character_version_unknown": (404, "not-found", []),
    "api/change_character_too_late": (409, "character-changed", ["version"]),
    "api/delete_character_in_use": (
        409,
        "character-in-use",
        [events.BOARD_WITH_FALLBACK, events.BOARD],
    ),
    "api/add_reference_from_upload_unknown": (404, "not-found", ["upload"]),
    "api/add_reference_from_everything": (422, "invalid-request", [""]),
    "api/remove_reference_unknown": (404, "not-found", []),
    "api/create_upload_too_large": (422, "invalid-request", ["content_type", "bytes"]),
    "api/create_key_unknown_scope": (422, "invalid-request", ["scopes[1]"]),
    "api/get_key_unknown": (404, "not-found", []),
    "api/share_storyboard_for_ever": (422, "invalid-request", ["expires_in_seconds"]),
    "api/share_storyboard_unknown": (404, "not-found", []),
    "api/revoke_share_unknown": (404, "not-found", []),
    "api/make_sheet_too_dear": (402, "max-cost-exceeded", ["max_cost"]),
    "api/plan_storyboard_maybe": (422, "invalid-request", ["dry_run"]),
    "api/list_models_by_colour": (422, "invalid-request", ["sort"]),
    "api/not_json": (400, "not-json", []),
    "api/unknown_route": (404, "not-found", []),
    "cancel/prediction_unknown": (404, "not-found", []),
    "cancel/storyboard_unknown": (404, "not-found", []),
    "cancel/with_a_reason": (422, "invalid-request", ["reason"]),
    "create_prediction/references_not_taken": (422, "references-not-taken", ["characters"]),
    "create_prediction/unknown_model": (422, "unknown-model", ["model"]),
    "create_prediction/callback_events_of_a_board": (422, "invalid-request", ["callback_events"]),
    "create_prediction/callback_not_https": (422, "invalid-callback-url", ["callback_url"]),
    "pages/docs_file_unknown": (404, "not-found", []),
    "pages/problem_unknown": (404, "not-found", []),
    "webhook/fal_forged": (401, "bad-signature", []),
    "webhook/replicate_forged": (401, "bad-signature", []),
    "webhook/fal_unknown_token": (404, "not-found", []),
}


def on(*names: str) -> pytest.MarkDecorator:
    """A test on these events: `run()` hands the event to its function."""
    SEEN.update(names)
    return pytest.mark.parametrize("run", names, indirect=True)


@pytest.fixture
def run(stage: Stage, request: pytest.FixtureRequest) -> Run:
    stage.seed_all()
    name: str = request.param
    return lambda: stage.run(name.partition("/")[0], read(name))


def body(answer: Any, status: int = 200) -> Any:
    assert answer["statusCode"] == status, answer
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    assert headers["content-type"].startswith("application/json")
    return json.loads(answer["body"])


def test_each_event_has_its_check_and_each_function_its_events() -> None:
    assert set(NAMES) == SEEN | set(REFUSED)
    assert {path.parent.name for path in FILES} == set(FUNCTIONS)


def test_the_files_are_what_their_generator_writes() -> None:
    written = {
        name: path.read_text(encoding="utf-8") for name, path in zip(NAMES, FILES, strict=True)
    }
    made = {name: events.as_text(event) for name, event in events.all_events().items()}
    assert written == made


def test_the_readme_lists_them() -> None:
    text = Path(events.FOLDER, "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`{name}.json`" not in text] == []


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_refusal_is_a_problem_and_changes_nothing(stage: Stage, name: str) -> None:
    stage.seed_all()
    before = stage.cloud.state()
    answer = stage.run(name.partition("/")[0], read(name))
    status, slug, paths = REFUSED[name]
    assert answer["statusCode"] == status
    headers = {key.lower(): value for key, value in answer["headers"].items()}
    assert headers["content-type"] == "application/problem+json"
    problem = json.loads(answer["body"])
    assert problem["type"] == f"/problems/{slug}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"].endswith((".", "!"))
    assert [error["path"] for error in problem.get("errors", [])] == paths
    assert stage.cloud.state() == before
    assert stage.providers.requests == []


# --- api ---


@on("api/create_character")
def test_api_create_character(stage: Stage, run: Run) -> None:
    answer = run()
    shown = body(answer, 201)
    assert answer["headers"]["Location"] == "/characters/marcus"
    assert shown["version"] == 1
    [reference] = shown["references"]
    assert (reference["width"], reference["status"]) == (1024, "ready")
    assert list(stage.cloud.objects()) == [f"references/acme/{reference['sha256']}.png"]
    again = body(run())
    assert (again["version"], again["references"][0]["id"]) == (1, reference["id"])


@on("api/get_character")
def test_api_get_character(stage: Stage, run: Run) -> None:
    assert body(run())["name"] == "Elena"


@on("api/list_characters")
def test_api_list_characters(stage: Stage, run: Run) -> None:
    listed = body(run())
    assert [item["id"] for item in listed["items"]] == ["elena", "tavern"]
    assert listed["next_cursor"] is None


@on("api/list_locations")
def test_api_list_locations(stage: Stage, run: Run) -> None:
    assert [item["id"] for item in body(run())["items"]] == ["tavern"]


@on("api/get_character_version")
def test_api_get_character_version(stage: Stage, run: Run) -> None:
    stage.run("api", read("api/change_character"))
    assert body(run())["outfit"] == "leather jacket"


@on("api/list_character_versions")
def test_api_list_character_versions(stage: Stage, run: Run) -> None:
    stage.run("api", read("api/change_character"))
    listed = [(item["version"], item["outfit"]) for item in body(run())["items"]]
    assert listed == [(2, "green cloak"), (1, "leather jacket")]


@on("api/change_character")
def test_api_change_character(stage: Stage, run: Run) -> None:
    shown = body(run())
    assert (shown["version"], shown["outfit"], shown["name"]) == (2, "green cloak", "Elena")
    stale = {item["storyboard_id"]: item for item in shown["stale"]["items"]}
    assert stale.keys() == {events.BOARD, events.BOARD_WITH_FALLBACK}
    assert stale[events.BOARD]["scenes"] == [
        {"id": "scene-1", "position": 1, "version": 1, "cost": "0.0450"}
    ]
    refused = run()
    assert refused["statusCode"] == 409


@on("api/list_stale")
def test_api_list_stale(stage: Stage, run: Run) -> None:
    assert body(run()) == {"items": [], "cost": "0.0000", "next_cursor": None}
    changed = body(stage.run("api", read("api/change_character")))
    assert body(run()) == changed["stale"]


def test_where_a_change_leaves_off_the_list_of_what_is_stale_goes_on(stage: Stage) -> None:
    stage.characters.replace(makers.character(), None)
    for _ in range(11):
        row = makers.prediction()
        board, scenes = makers.board((row,))
        stage.storyboards.add(board, scenes, [row])
    shown = body(stage.run("api", read("api/change_character")))["stale"]
    assert len(shown["items"]) == 10
    more = {"cursor": shown["next_cursor"]}
    event = events.default("GET", "/characters/elena/stale", query=more)
    rest = body(stage.run("api", event))
    assert (len(rest["items"]), rest["next_cursor"]) == (1, None)


@on("api/delete_character")
def test_api_delete_character(stage: Stage, run: Run) -> None:
    answer = run()
    assert (answer["statusCode"], answer["body"]) == (204, "")
    assert run()["statusCode"] == 404
    listed = body(stage.run("api", read("api/list_characters")))
    assert [item["id"] for item in listed["items"]] == ["elena"]


@on("api/add_reference")
def test_api_add_reference(stage: Stage, run: Run) -> None:
    answer = run()
    shown = body(answer, 201)
    assert answer["headers"]["Location"] == "/characters/elena"
    first, second = shown["references"]
    assert (first["id"], second["role"], second["angle"]) == ("ref_elena_0", "face", "profile")
    assert f"references/acme/{second['sha256']}.png" in stage.cloud.objects()
    assert body(run())["version"] == shown["version"] == 2


@on("api/add_reference_from_prediction")
def test_api_add_reference_from_prediction(stage: Stage, run: Run) -> None:
    stage.seed_library()
    _, added = body(run(), 201)["references"]
    assert (added["role"], added["angle"], added["width"]) == ("full_body", "back", 768)
    objects = stage.cloud.objects()
    key = f"references/acme/{added['sha256']}.png"
    assert objects[key] == objects[f"images/acme/{events.ANGLE}.png"]


@on("api/add_reference_from_upload")
def test_api_add_reference_from_upload(stage: Stage, run: Run) -> None:
    stage.seed_library()
    _, added = body(run(), 201)["references"]
    assert (added["role"], added["angle"], added["width"]) == ("outfit", "front", 512)


@on("api/remove_reference")
def test_api_remove_reference(stage: Stage, run: Run) -> None:
    shown = body(run())
    assert (shown["version"], shown["references"]) == (2, [])
    assert run()["statusCode"] == 404


@on("api/create_upload")
def test_api_create_upload(stage: Stage, run: Run) -> None:
    shown = body(run(), 201)
    assert shown["id"].startswith("up_")
    assert shown["fields"]["key"] == f"uploads/acme/{shown['id']}"
    assert (shown["max_bytes"], shown["fields"]["Content-Type"]) == (204800, "image/png")


@on("api/make_sheet")
def test_api_make_sheet(stage: Stage, run: Run) -> None:
    shown = body(run(), 202)
    assert [item["angle"] for item in shown["items"]] == ["three_quarter", "profile", "back"]
    assert (shown["role"], shown["cost"]) == ("face", {"estimated": "0.1350"})
    ids = [item["id"] for item in shown["items"]]
    assert {row.status for row in stage.predictions.get_many(ids).values()} == {Status.QUEUED}
    sent = stage.cloud.sent(stage.cloud.submissions_url)
    assert [message["prediction_id"] for message in sent] == ids
    assert stage.providers.requests == []


@on("api/plan_sheet")
def test_api_plan_sheet(stage: Stage, run: Run) -> None:
    before = stage.cloud.state()
    shown = body(run())
    assert stage.cloud.state() == before
    [item] = shown["items"]
    assert (shown["dry_run"], shown["role"], item["angle"]) == (True, "full_body", "back")
    assert "seen from behind" in item["prompt"]
    assert item["references"][0]["reference_id"] == "ref_elena_0"


@on("api/create_storyboard")
def test_api_create_storyboard(stage: Stage, run: Run) -> None:
    answer = run()
    board = body(answer, 202)
    assert answer["headers"]["Location"] == f"/storyboards/{board['id']}"
    assert board["progress"]["running"] == 2
    assert [scene["id"] for scene in board["scenes"]] == ["scene-1", "scene-2"]
    assert "green cloak" in board["scenes"][0]["prompt"]
    assert board["cost"]["estimated"] == "0.1050"
    [start] = stage.cloud.operations("StartExecution")
    sent = json.loads(start["input"])
    assert sent["predictions"] == [scene["candidates"][0] for scene in board["scenes"]]
    rows = stage.predictions.get_many(sent["predictions"])
    assert {row.status for row in rows.values()} == {Status.QUEUED}
    assert stage.characters.get("acme", "marcus") is not None
    assert stage.providers.requests == []


@on("api/plan_storyboard")
def test_api_plan_storyboard(stage: Stage, run: Run) -> None:
    before = stage.cloud.state()
    shown = body(run())
    assert stage.cloud.state() == before
    assert stage.providers.requests == []
    assert shown["dry_run"] is True
    assert shown["seed"] == 12345
    assert [scene["characters"] for scene in shown["scenes"]] == [["elena", "marcus"], ["marcus"]]
    assert [scene["character_versions"] for scene in shown["scenes"]] == [
        {"elena": 1, "marcus": 1},
        {"marcus": 1},
    ]
    assert shown["cost"] == {"estimated": "0.1050", "known": "0.1050"}
    first, second = shown["scenes"]
    assert [scene["seed"] for scene in shown["scenes"]] == [12345, 13345]
    assert [ref["character"] for ref in first["references"]] == ["elena", "marcus"]
    assert all({"position", "role", "why"} <= ref.keys() for ref in first["references"])
    assert "Elena (person from image 1)" in first["prompt"]
    assert first["payload"]["prompt"] == first["prompt"]
    assert first["price"][0] == {
        "what": "run", "quantity": 1, "unit_price": "0.0150", "amount": "0.0150",
    }  # fmt: skip
    assert second["cost"] == {"estimated": "0.0450"}
    assert "key" not in first["references"][0]
    [fallback] = first["fallbacks"]
    assert (fallback["model"], fallback["cost"]) == ("fal-flux2-pro-edit", {"estimated": "0.0600"})
    assert len(fallback["payload"]["image_urls"]) == 2


@on("api/get_storyboard")
def test_api_get_storyboard(stage: Stage, run: Run) -> None:
    board = body(run())
    assert (board["id"], board["status"]) == (events.BOARD, "running")
    assert len(board["scenes"]) == 1


@on("api/get_storyboard_events")
def test_api_get_storyboard_events(stage: Stage, run: Run) -> None:
    assert body(run())["items"] == []


@on("api/list_storyboards")
def test_api_list_storyboards(stage: Stage, run: Run) -> None:
    listed = [item["id"] for item in body(run())["items"]]
    assert listed == [events.BOARD_WITH_FALLBACK, events.BOARD]


@on("api/create_export", "api/list_exports", "api/get_export", "export/zip")
def test_exports(stage: Stage, run: Run, request: pytest.FixtureRequest) -> None:
    """tests/integration/test_exports.py has the rest."""
    stage.seed_export()
    match request.node.callspec.params["run"]:
        case "api/create_export":
            made = body(run(), 202)
            assert (made["status"], made["options"]) == (
                "queued",
                {"notes": True, "page": "letter"},
            )
        case "api/list_exports":
            assert [each["id"] for each in body(run())["items"]] == [events.EXPORT]
        case "api/get_export":
            assert body(run())["status"] == "queued"
        case "export/zip":
            assert run() == {"batchItemFailures": []}
            found = stage.exports.get(events.EXPORT)
            assert found is not None
            assert found.file is not None


@on("api/get_prediction")
def test_api_get_prediction(stage: Stage, run: Run) -> None:
    shown = body(run())
    assert (shown["id"], shown["status"]) == (events.PREDICTIONS["fal"], "running")
    assert events.TOKENS["fal"] not in json.dumps(shown)


@on("api/list_predictions")
def test_api_list_predictions(stage: Stage, run: Run) -> None:
    listed = body(run())
    ids = sorted([*events.PREDICTIONS.values(), events.REPLACED], reverse=True)
    assert [item["id"] for item in listed["items"]] == ids[:1]
    event = read("api/list_predictions")
    event["queryStringParameters"] = {"cursor": listed["next_cursor"]}
    rest = body(stage.run("api", event))
    assert [item["id"] for item in rest["items"]] == ids[1:]
    assert rest["next_cursor"] is None


def test_a_page_that_lambda_could_not_answer_goes_on_in_the_next(stage: Stage) -> None:
    """Each of these shows 96 kB: prompts in another script take six bytes a character."""
    long = {**makers.prediction().input, "prompt": "\u4e2d" * 16_000}
    for n in range(70):
        stage.predictions.add(makers.prediction(id=f"pred_{n:03}", input=long))
    event, seen, pages = read("api/list_predictions"), list[str](), 0
    event["queryStringParameters"] = {"limit": "100"}
    while True:
        answer = stage.run("api", event)
        assert len(answer["body"]) < 6_000_000
        page, pages = body(answer), pages + 1
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        event["queryStringParameters"] = {"limit": "100", "cursor": page["next_cursor"]}
    assert seen == [f"pred_{n:03}" for n in reversed(range(70))]
    assert pages == 2


@on("api/list_models")
def test_api_list_models(stage: Stage, run: Run) -> None:
    assert {"fal-flux2-pro-edit", "rep-flux2-pro"} <= {item["id"] for item in body(run())["items"]}


@on("api/list_models_by_price")
def test_api_list_models_by_price(stage: Stage, run: Run) -> None:
    items = body(run())["items"]
    costs = [float(item["price"]["example"]["cost"] or "inf") for item in items]
    assert costs == sorted(costs)
    assert items[0]["id"] == "rep-flux-schnell"


@on("api/list_callbacks")
def test_api_list_callbacks(stage: Stage, run: Run) -> None:
    listed = body(run())
    [item] = listed["items"]
    assert (item["id"], item["status"], item["attempts"]) == (events.CALLBACK, "pending", [])
    assert item["address"] == {"status": "active", "since": None, "reason": None}
    assert "payload" not in item
    assert listed["next_cursor"] is None


@on("api/get_callback")
def test_api_get_callback(stage: Stage, run: Run) -> None:
    shown = body(run())
    assert (shown["id"], shown["url"]) == (events.CALLBACK, events.CALLBACK_URL)
    assert shown["payload"] == {"type": "prediction.completed"}


@on("api/replay_callback")
def test_api_replay_callback(stage: Stage, run: Run) -> None:
    answer = run()
    assert body(answer, 202)["status"] == "pending"
    assert answer["headers"]["Location"] == f"/callbacks/{events.CALLBACK}"
    body(run(), 202)
    first, second = stage.cloud.sent(stage.cloud.callbacks_url)
    for message in (first, second):
        turn = {"callback_id": events.CALLBACK, "turn": message["turn"]}
        stage.run("callback", events.queue("callbacks", turn))
    assert len(stage.web.requests) == 1


@on("api/get_callback_secret")
def test_api_get_callback_secret(stage: Stage, run: Run) -> None:
    assert body(run()) == {
        "secret": callback_secret(MASTER_KEY, "key_1"), "version": 1, "previous_expires_at": None,
    }  # fmt: skip


@on("api/rotate_callback_secret")
def test_api_rotate_callback_secret(
    stage: Stage, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert body(run()) == {
        "secret": callback_secret(MASTER_KEY, "key_1", 2), "version": 2,
        "previous_expires_at": "2026-01-02T00:00:10.000Z",
    }  # fmt: skip
    answer = run()
    assert answer["statusCode"] == 409
    problem = json.loads(answer["body"])
    assert problem["type"] == "/problems/rotation-too-soon"
    assert "2026-01-02T00:00:10Z" in problem["detail"]
    assert "whsec_" not in capsys.readouterr().out
    stage.run("callback", read("callback/delivery"))
    [(_, _, _, headers)] = stage.web.requests
    assert len(headers["webhook-signature"].split(" ")) == 2


@on("api/create_key")
def test_api_create_key(stage: Stage, run: Run) -> None:
    answer = run()
    shown = body(answer, 201)
    assert answer["headers"]["Location"] == f"/keys/{shown['id']}"
    assert shown["secret"].startswith("shk_")
    assert body(run(), 201)["id"] != shown["id"]


@on("api/get_key", "api/list_keys")
def test_api_get_and_list_keys(stage: Stage, run: Run) -> None:
    stage.seed_key()
    shown = body(run())
    [key] = shown.get("items", [shown])
    assert (key["id"], key["this_month"]["left"]) == (events.KEY, "25.0000")
    assert "secret" not in key


@on("api/share_storyboard")
def test_api_share_storyboard(stage: Stage, run: Run) -> None:
    shown = body(run(), 201)
    assert shown["secret"] in shown["url"]
    assert body(run(), 201)["id"] != shown["id"]


@on("api/list_shares")
def test_api_list_shares(stage: Stage, run: Run) -> None:
    stage.seed_share()
    [share] = body(run())["items"]
    assert (share["id"], share["storyboard_id"]) == (events.SHARE, events.BOARD)


@on("api/revoke_share")
def test_api_revoke_share(stage: Stage, run: Run) -> None:
    stage.seed_share()
    for _ in range(2):
        assert run()["statusCode"] == 204
    assert body(stage.run("api", read("api/list_shares")))["items"][0]["revoked_at"]
    assert stage.run("authorizer", read("authorizer/shared_link")) == {"isAuthorized": False}


@on("api/revoke_key")
def test_api_revoke_key(stage: Stage, run: Run) -> None:
    stage.seed_key()
    for _ in range(2):
        assert run()["statusCode"] == 204
    assert body(stage.run("api", read("api/get_key")))["revoked_at"]


# --- authorizer ---


@on("authorizer/good_key")
def test_authorizer_good_key(stage: Stage, run: Run) -> None:
    context = {"key_id": "key_1", "tenant": "acme", "scopes": "read write admin"}
    assert run() == {"isAuthorized": True, "context": context}


@on("authorizer/shared_link")
def test_authorizer_shared_link(stage: Stage, run: Run) -> None:
    stage.seed_share()
    link = {"key_id": events.SHARE, "tenant": "acme", "scopes": "view"}
    context = {**link, "storyboard_id": events.BOARD}
    assert run() == {"isAuthorized": True, "context": context}


@on("authorizer/unknown_key", "authorizer/no_header")
def test_authorizer_unknown_key(stage: Stage, run: Run) -> None:
    assert run() == {"isAuthorized": False}


# --- cancel ---


@on("cancel/fal")
def test_cancel_fal(stage: Stage, run: Run) -> None:
    shown = body(run(), 202)
    assert (shown["status"], shown["cancellation"]["in_time"]) == ("running", None)
    row = stage.prediction("fal")
    assert (row.cancel_requested_at, row.due_at) == (NOW, NOW)
    put, *asked = stage.providers.requests
    assert (put.method, put.path.rpartition("/")[2]) == ("PUT", "cancel")
    assert [request.method for request in asked] == ["GET"]
    stage.run("reconcile", read("reconcile/every_minute"))
    assert [r.method for r in stage.providers.requests[2:]] == ["GET", "PUT", "GET"]
    assert len(body(run(), 202)["cancellation"]) == 2


@on("cancel/replicate")
def test_cancel_replicate(stage: Stage, run: Run) -> None:
    stage.providers.answer = functions.canceled_at_replicate
    shown = body(run())
    assert shown["status"] == "canceled"
    assert shown["cancellation"] == {"requested_at": "2026-01-01T00:00:10.000Z", "in_time": True}
    assert shown["error"]["type"] == "/problems/canceled"
    assert [r.path.rpartition("/")[2] for r in stage.providers.requests] == ["cancel", JOB]
    before = stage.cloud.state()
    assert body(run()) == shown
    assert stage.cloud.state() == before


@on("cancel/storyboard")
def test_cancel_storyboard(stage: Stage, run: Run) -> None:
    shown = body(run(), 202)
    assert (shown["status"], shown["cancellation"]["canceled"]) == ("running", 0)
    assert shown["urls"]["cancel"] == f"/storyboards/{events.BOARD}/cancel"
    assert stage.prediction("replicate").cancel_requested_at == NOW
    stage.providers.answer = functions.canceled_at_replicate
    stage.run("reconcile", read("reconcile/every_minute"))
    shown = body(run())
    assert (shown["status"], shown["cancellation"]["canceled"]) == ("canceled", 1)
    assert shown["scenes"][0]["cancellation"]["in_time"] is True
    assert len(stage.cloud.sent(stage.cloud.callbacks_url)) == 1


@pytest.mark.parametrize("name", ["prediction", "storyboard"])
@pytest.mark.parametrize("text", ["x" * 3000, "é", "a/../b"])
def test_cancel_does_not_look_up_what_is_no_id(stage: Stage, name: str, text: str) -> None:
    """DynamoDB refuses a key that is too long, and that would be an error of ours."""
    event = read(f"cancel/{name}_unknown")
    event["pathParameters"] = {f"{name}_id": text}
    answer = stage.run("cancel", event)
    assert answer["statusCode"] == 404
    assert stage.cloud.operations("GetItem") == []


# --- create_prediction, submit ---


@on("create_prediction/fal")
def test_create_prediction_fal(stage: Stage, run: Run) -> None:
    answer = run()
    shown = body(answer, 202)
    assert answer["headers"]["Location"] == f"/predictions/{shown['id']}"
    assert (shown["status"], shown["provider"]) == ("running", "fal")
    assert shown["cost"] == {"estimated": "0.0450", "actual": None, "max": None}
    row = stage.predictions.get(shown["id"])
    assert row is not None
    assert row.handle is not None
    assert shown["provider_id"] == row.handle.provider_id
    [request] = stage.providers.requests
    assert request.path.startswith("/fal-ai/flux-2-pro/edit?fal_webhook=https%3A%2F%2Fa1b2c3d4e5")
    assert request.headers["authorization"] == "Key fal-test-key"
    assert request.json["image_urls"][0].startswith("https://")


@on("create_prediction/dry_run")
def test_create_prediction_dry_run(stage: Stage, run: Run) -> None:
    before = stage.cloud.state()
    shown = body(run())
    assert stage.cloud.state() == before
    assert stage.providers.requests == []
    assert (shown["dry_run"], shown["model"]) == (True, "fal-flux2-pro-edit")
    assert shown["cost"] == {"estimated": "0.0450"}
    assert shown["payload"]["image_urls"] == [
        f"reference://{ref['reference_id']}" for ref in shown["references"]
    ]


@on("create_prediction/replicate")
def test_create_prediction_replicate(stage: Stage, run: Run) -> None:
    shown = body(run(), 202)
    assert shown["provider_id"] == events.JOBS["replicate"]
    [request] = stage.providers.requests
    assert request.path == "/v1/predictions"
    assert request.headers["authorization"] == "Bearer r8_test"
    row = stage.predictions.get(shown["id"])
    assert row is not None
    assert request.json["webhook"].endswith(f"/webhooks/replicate/{row.id}.{row.token}")
    assert request.json["webhook_events_filter"] == ["completed"]


@on("create_prediction/with_key")
def test_create_prediction_with_key(stage: Stage, run: Run) -> None:
    first, again = run(), run()
    assert body(again, 202)["id"] == body(first, 202)["id"]
    assert again["headers"]["Idempotency-Replayed"] == "true"
    assert len(stage.providers.requests) == 1


@on("create_prediction/throttled")
def test_create_prediction_throttled(stage: Stage, run: Run) -> None:
    shown = body(run(), 202)
    assert shown["status"] == "queued"
    assert len(stage.providers.requests) == 1
    assert stage.cloud.sent(stage.cloud.submissions_url) == [
        {"prediction_id": shown["id"], "delay": 7}
    ]


@on("create_prediction/throttled")
def test_create_prediction_queue_down(stage: Stage, run: Run) -> None:
    """It will be sent: an error would make the caller ask, and pay, again."""
    clients.client("sqs").delete_queue(QueueUrl=stage.cloud.submissions_url)
    shown = body(run(), 202)
    row = stage.predictions.get(shown["id"])
    assert row is not None
    assert (row.status, row.due_at is not None) == (Status.QUEUED, True)


def _queued(stage: Stage, *providers: str) -> None:
    """The rows again, as they are before they were sent."""
    for provider in providers:
        row_key = prediction_key(events.PREDICTIONS[provider])
        stage.cloud.table.delete(row_key)
        seed = 429 if provider == "fal" else 7
        row = stage.seed(provider, Status.QUEUED)
        payload = {**row.input["payload"], "seed": seed}
        stage.cloud.table.delete(row_key)
        stage.seed(provider, Status.QUEUED, input={**row.input, "payload": payload})


@on("submit/scene_with_task_token")
def test_submit_scene_with_task_token(stage: Stage, run: Run) -> None:
    _queued(stage, "replicate")
    assert run() == {"batchItemFailures": []}
    row = stage.prediction("replicate")
    assert row.status is Status.SUBMITTED
    assert row.task_token == "AAAAKgAAAAIAAAAAAAAAAf"
    assert run() == {"batchItemFailures": []}
    assert len(stage.providers.requests) == 1, "the message came twice, the job is paid once"


@on("submit/scene_that_moves_on")
def test_submit_scene_that_moves_on(stage: Stage, run: Run) -> None:
    assert run() == {"batchItemFailures": []}
    row = stage.predictions.get(events.SUCCESSOR)
    assert row is not None
    assert (row.status, row.provider, row.replaces) == (
        Status.SUBMITTED, "replicate", events.REPLACED,
    )  # fmt: skip
    [scene] = stage.storyboards.scenes(events.BOARD_WITH_FALLBACK)
    assert scene.predictions == (events.REPLACED, events.SUCCESSOR)
    after = stage.cloud.state()
    assert run() == {"batchItemFailures": []}
    assert stage.cloud.state() == after
    assert len(stage.providers.requests) == 1


@on("submit/two_messages")
def test_submit_two_messages(stage: Stage, run: Run) -> None:
    """The second is throttled: it alone comes again, when fal says so."""
    _queued(stage, "replicate", "fal")
    url = stage.cloud.submissions_url
    sqs = clients.client("sqs")
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    [held] = sqs.receive_message(QueueUrl=url)["Messages"]
    event = read("submit/two_messages")
    event["Records"][1]["receiptHandle"] = held["ReceiptHandle"]
    answer = stage.run("submit", event)
    failed = event["Records"][1]["messageId"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": failed}]}
    assert stage.prediction("replicate").status is Status.SUBMITTED
    assert stage.prediction("fal").status is Status.QUEUED
    [change] = stage.cloud.operations("ChangeMessageVisibility")
    assert (change["ReceiptHandle"], change["VisibilityTimeout"]) == (held["ReceiptHandle"], 7)


@pytest.mark.parametrize("poison", ["[]", "not json", "{}"])
def test_a_message_that_is_none_of_ours_takes_no_other_along(stage: Stage, poison: str) -> None:
    _queued(stage, "replicate", "fal")
    event = read("submit/two_messages")
    event["Records"][1]["body"] = poison
    answer = stage.run("submit", event)
    assert answer == {"batchItemFailures": [{"itemIdentifier": event["Records"][1]["messageId"]}]}
    assert stage.prediction("replicate").status is Status.SUBMITTED


# --- webhook ---


@on("webhook/fal_ok", "webhook/fal_ok_base64")
def test_webhook_fal_ok(stage: Stage, run: Run) -> None:
    assert body(run()) == {}
    row = stage.prediction("fal")
    assert (row.status, row.seed_returned) == (Status.SUCCEEDED, 1234567)
    [image] = row.images
    assert (image.width, image.height) == (1344, 768)
    assert list(stage.cloud.objects()) == [image.key]
    [message] = stage.cloud.sent(stage.cloud.callbacks_url)
    assert message["callback_id"] == row.callback_id
    after = stage.cloud.state()
    assert body(run()) == {}
    assert stage.cloud.state() == after


@on("webhook/fal_error")
def test_webhook_fal_error(stage: Stage, run: Run) -> None:
    assert body(run()) == {}
    row = stage.prediction("fal")
    assert row.status is Status.FAILED
    assert row.failure is not None
    assert row.failure.provider_code == "value_error.missing"


@on("webhook/fal_blocked", "webhook/fal_nsfw")
def test_webhook_fal_blocked(stage: Stage, run: Run) -> None:
    assert body(run()) == {}
    assert stage.prediction("fal").status is Status.BLOCKED
    assert stage.cloud.objects() == {}, "a black picture is no result"


@on("webhook/fal_null_payload", "webhook/fal_stale")
def test_webhook_fal_null_payload(stage: Stage, run: Run) -> None:
    assert body(run()) == {}
    row = stage.prediction("fal")
    assert (row.status, row.due_at) == (Status.SUBMITTED, NOW)


@on("webhook/replicate_succeeded")
def test_webhook_replicate_succeeded(stage: Stage, run: Run) -> None:
    stage.predictions.attach_task_token(events.PREDICTIONS["replicate"], "the-task-token")
    assert body(run()) == {}
    row = stage.prediction("replicate")
    assert (row.status, row.provider_seconds) == (Status.SUCCEEDED, 9.1)
    [call] = stage.cloud.operations("SendTaskSuccess")
    assert call["taskToken"] == "the-task-token"


@on("webhook/replicate_failed")
def test_webhook_replicate_failed(stage: Stage, run: Run) -> None:
    stage.predictions.attach_task_token(events.PREDICTIONS["replicate"], "the-task-token")
    assert body(run()) == {}
    assert stage.prediction("replicate").status is Status.BLOCKED
    [call] = stage.cloud.operations("SendTaskFailure")
    assert call["error"] == "Storyhook.Blocked"


@on("webhook/replicate_starting")
def test_webhook_replicate_starting(stage: Stage, run: Run) -> None:
    before = stage.cloud.state()
    assert body(run()) == {}
    assert stage.cloud.state() == before


# --- pages ---


@on(
    "pages/description",
    "pages/docs",
    "pages/docs_file",
    "pages/board",
    "pages/problem",
    "pages/problem_of_a_scene",
)
def test_a_page_is_served_with_nothing_of_elsewhere(stage: Stage, run: Run) -> None:
    before = stage.cloud.state()
    answer = run()
    assert answer["statusCode"] == 200
    policy = answer["headers"]["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy
    assert "<script>" not in answer["body"]
    assert "<style" not in answer["body"]
    assert stage.cloud.state() == before


def test_a_file_is_packed_for_whoever_can_unpack_it(stage: Stage) -> None:
    event = read("pages/docs_file")
    plain = stage.run("pages", event)["body"]
    event["headers"]["accept-encoding"] = "gzip, br"
    answer = stage.run("pages", event)
    assert answer["headers"]["content-encoding"] == "gzip"
    assert gzip.decompress(base64.b64decode(answer["body"])).decode() == plain


def test_a_boards_page_is_the_same_for_all(stage: Stage) -> None:
    """Without the board: whether there is one, nobody learns."""
    event = read("pages/board")
    nobodys = json.loads(json.dumps(event).replace(events.BOARD, "sb_nobodys"))
    stage.seed_all()
    answers = [stage.run("pages", each) for each in (event, nobodys)]
    assert answers[0] == answers[1]
    policy = answers[0]["headers"]["content-security-policy"]
    assert f"img-src data: {stage.environment('pages')['IMAGE_ORIGINS']};" in policy
    assert policy.endswith("require-trusted-types-for 'script'; trusted-types 'none'")


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "ap-southeast-2"])
def test_a_boards_page_may_show_what_is_signed(region: str) -> None:
    """The template's origins are those of presigned URLs, in every region."""
    written = template.functions()["pages"]["Environment"]["Variables"]["IMAGE_ORIGINS"]
    origins = written["!If"][2]["!Sub"]
    for name, value in {
        "Bucket": "storyhook-bucket",
        "AWS::Region": region,
        "AWS::URLSuffix": "amazonaws.com",
    }.items():
        origins = origins.replace(f"${{{name}}}", value)
    s3 = botocore.session.get_session().create_client(
        "s3", region, config=clients._S3_CONFIG, aws_access_key_id="a", aws_secret_access_key="b"
    )
    url = Bucket(s3, "storyhook-bucket", Clock(), timedelta(hours=1)).sign("images/a.png")[0]
    host = urlsplit(url).hostname
    assert f"https://{host}" in origins.split()


def test_each_refusal_and_each_failure_has_its_page(stage: Stage) -> None:
    """It says what docs/errors.md says; tests/unit/test_errors_page.py holds that to the code."""
    for heading in ("Of a request", "Of a prediction"):
        for slug, row in errors_page(heading).items():
            event = events.page("GET /problems/{slug}", f"/problems/{slug}", slug=slug)
            answer = stage.run("pages", event)
            assert answer["statusCode"] == 200, slug
            words = re.sub("<[^>]+>", "", html.unescape(answer["body"]))
            for text in (row.title, row.what):
                assert text.replace("`", "") in words


def test_the_page_of_a_problem_says_what_to_do(stage: Stage) -> None:
    page = stage.run("pages", read("pages/problem"))["body"]
    assert "<p>Choose one of <code>GET /models</code>.</p>" in page
    assert "status 422" in page


# --- callback, assemble, reconcile ---


@on("callback/delivery")
def test_callback_delivery(stage: Stage, run: Run) -> None:
    assert run() == {"batchItemFailures": []}
    [(method, url, sent, headers)] = stage.web.requests
    assert (method, url) == ("POST", events.CALLBACK_URL)
    assert sent == b'{"type":"prediction.completed"}'
    assert headers["webhook-id"] == events.CALLBACK
    row = stage.callbacks.get(events.CALLBACK)
    assert row is not None
    assert row.status is CallbackStatus.DELIVERED
    run()
    assert len(stage.web.requests) == 1


@on("assemble/storyboard")
def test_assemble_storyboard(stage: Stage, run: Run) -> None:
    assert run() == {"storyboard_id": events.BOARD, "status": "running"}
    late = stage.prediction("replicate")
    failure = Failure(FailureKind.EXPIRED, "no result")
    assert stage.predictions.advance(late.id, Status.EXPIRED, {"failure": failure})
    assert run() == {"storyboard_id": events.BOARD, "status": "failed"}
    board = stage.storyboards.get(events.BOARD)
    assert board is not None
    assert board.status is BoardStatus.FAILED
    [message] = stage.cloud.sent(stage.cloud.callbacks_url)
    assert message["callback_id"] == board.callback_id


@on("choose/scene")
def test_choose_scene(stage: Stage, run: Run) -> None:
    """The board's only prediction is under way: there is nothing to choose yet."""
    assert run() == {"status": "running"}
    scene = stage.storyboards.scene(events.BOARD, 1)
    assert scene is not None
    assert scene.choice is None


@on("reconcile/every_minute")
def test_reconcile_every_minute(stage: Stage, run: Run) -> None:
    assert run() == {"predictions": 0, "storyboards": 0, "callbacks": 0, "exports": 0}
    stage.clock.advance(minutes=10)
    assert run() == {"predictions": 2, "storyboards": 1, "callbacks": 1, "exports": 0}
    assert {request.method for request in stage.providers.requests} == {"GET"}
    [message] = stage.cloud.sent(stage.cloud.callbacks_url)
    assert message["callback_id"] == events.CALLBACK
