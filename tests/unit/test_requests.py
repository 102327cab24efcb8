"""Bad input: each refusal is a problem with a stable type, a status, and the field's path."""

import base64
import json
import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from storyhook.domain.errors import (
    BadReference,
    BadSignature,
    DownloadFailed,
    FieldError,
    InvalidRequest,
    NotFound,
    PayloadTooLarge,
    ProviderKeyMissing,
    SettingsError,
    StaleSignature,
    StoryhookError,
    UnknownModel,
)
from storyhook.http import cursors, problems, reading, service
from storyhook.http.callbacks import CallbackRoutes
from storyhook.http.character_bodies import CharacterBody
from storyhook.http.characters import CharacterRoutes
from storyhook.http.events import MAX_BODY_BYTES, caller, parse, wants_dry_run
from storyhook.http.raw import raw_body
from storyhook.http.requests import NothingBody, PredictionBody, RotationBody, StoryboardBody
from storyhook.http.watching import WatchRoutes
from tests.fixtures import events

PREDICTION, BOARD, CHARACTER = events.PREDICTION, events.STORYBOARD, events.CHARACTER
SCENE = {"description": "They meet"}
MINIMAL = {"model": "flux-2-pro", "scenes": [SCENE]}


def refusal(kind: type[BaseModel], body: Any, **event: Any) -> tuple[int, str, list[str]]:
    text = body if isinstance(body, str) else json.dumps(body)
    with pytest.raises(StoryhookError) as caught:
        parse(kind, {"body": text, **event})
    answer = problems.response(caught.value)
    assert answer["headers"]["content-type"] == "application/problem+json"
    problem = json.loads(answer["body"])
    assert problem["status"] == answer["statusCode"]
    assert problem["title"]
    assert problem["detail"].endswith(".")
    paths = [error["path"] for error in problem.get("errors", [])]
    assert all(error["message"] for error in problem.get("errors", []))
    return problem["status"], problem["type"], paths


INVALID = "/problems/invalid-request"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"model": None}, "model"),
        ({"model": 5}, "model"),
        ({"model": ""}, "model"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": "   "}, "prompt"),
        ({"prompt": "x" * 4001}, "prompt"),
        ({"prompt": ["x"]}, "prompt"),
        ({"prompt": "\ud800"}, "prompt"),
        ({"crowd": "no"}, "crowd"),
        ({"characters": "elena"}, "characters"),
        ({"characters": [{"id": "elena"}]}, "characters[0]"),
        ({"characters": ["elena", "with space"]}, "characters[1]"),
        ({"characters": ["x" * 65]}, "characters[0]"),
        ({"characters": ["é"]}, "characters[0]"),
        ({"characters": ["elena\n"]}, None),
        ({"characters": ["a"] * 33}, "characters"),
        ({"seed": "1"}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"seed": True}, "seed"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**31}, "seed"),
        ({"aspect_ratio": "wide"}, "aspect_ratio"),
        ({"aspect_ratio": "16:9\n1"}, "aspect_ratio"),
        ({"aspect_ratio": 1.77}, "aspect_ratio"),
        ({"options": []}, "options"),
        ({"options": "x"}, "options"),
        ({"callback_url": ""}, "callback_url"),
        ({"callback_url": "https://x/" + "a" * 2048}, "callback_url"),
        ({"promt": "typing error"}, "promt"),
        ({"style": {}}, "style"),
    ],
)
def test_a_prediction_with_a_wrong_field(changes: dict[str, Any], path: str | None) -> None:
    body = {**PREDICTION, **changes}
    if path is None:
        assert parse(PredictionBody, {"body": json.dumps(body)}).characters == ("elena",)
        return
    assert refusal(PredictionBody, body) == (422, INVALID, [path])


def test_missing_fields_are_all_named() -> None:
    assert refusal(PredictionBody, {})[2] == ["model", "prompt"]
    assert refusal(CharacterBody, {})[2] == ["id", "name", "description"]
    assert refusal(StoryboardBody, {})[2] == ["model", "scenes"]


def _scenes(*scenes: Any) -> dict[str, Any]:
    return {"model": "flux-2-pro", "scenes": list(scenes)}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (_scenes(), "scenes"),
        ({**MINIMAL, "scenes": None}, "scenes"),
        ({**MINIMAL, "scenes": {}}, "scenes"),
        (_scenes(*[SCENE] * 1001), "scenes"),
        (_scenes(SCENE, {}), "scenes[1].description"),
        (_scenes(SCENE, "text"), "scenes[1]"),
        (_scenes({**SCENE, "characters": ["ok", 5]}), "scenes[0].characters[1]"),
        (_scenes({**SCENE, "id": "a"}, {**SCENE, "id": "a"}), "scenes"),
        (_scenes(SCENE, {**SCENE, "id": "scene-1"}), "scenes"),
        (
            _scenes(
                {
                    **SCENE,
                    "characters": ["elena"],
                    "overrides": {"elena": {"outfit": "x", "hat": "red"}},
                }
            ),
            "scenes[0].overrides.elena.hat",
        ),
        (_scenes({**SCENE, "seed": "x"}), "scenes[0].seed"),
        ({**MINIMAL, "characters": [{**CHARACTER, "id": "a b"}]}, "characters[0].id"),
        (
            {**MINIMAL, "characters": [{**CHARACTER, "references": [{"url": "x", "role": "hat"}]}]},
            "characters[0].references[0].role",
        ),
        (_scenes({**SCENE, "overrides": {"elena": {"outfit": "x"}}}), "scenes[0].overrides"),
        ({**MINIMAL, "palette": ["a"] * 6}, "palette"),
        ({**MINIMAL, "fallback_models": "rep-flux2-pro"}, "fallback_models"),
        ({**MINIMAL, "fallback_models": None}, "fallback_models"),
        ({**MINIMAL, "fallback_models": ["a", ""]}, "fallback_models[1]"),
        ({**MINIMAL, "fallback_models": ["a"] * 6}, "fallback_models"),
        ({**MINIMAL, "fallback_on_block": "yes"}, "fallback_on_block"),
        ({**MINIMAL, "fallback_on_block": 1}, "fallback_on_block"),
        *(
            ({**MINIMAL, "queue_timeout_seconds": wrong}, "queue_timeout_seconds")
            for wrong in (59, 86401, 60.5, "60", True, None)
        ),
        *(
            ({**MINIMAL, "max_paid_attempts": wrong}, "max_paid_attempts")
            for wrong in (0, 4, 1.5, "2", True, None)
        ),
        (_scenes({**SCENE, "max_paid_attempts": 2}), "scenes[0].max_paid_attempts"),
        (_scenes({**SCENE, "fallback_models": ["a"] * 6}), "scenes[0].fallback_models"),
        (_scenes(SCENE, {**SCENE, "fallback_models": [5]}), "scenes[1].fallback_models[0]"),
        (_scenes({**SCENE, "queue_timeout_seconds": 0}), "scenes[0].queue_timeout_seconds"),
        (_scenes({**SCENE, "fallback_on_block": "no"}), "scenes[0].fallback_on_block"),
        (_scenes({**SCENE, "crowd": 1}), "scenes[0].crowd"),
        ({**MINIMAL, "title": "x" * 201}, "title"),
    ],
)
def test_a_board_with_a_wrong_field(body: dict[str, Any], path: str) -> None:
    assert refusal(StoryboardBody, body) == (422, INVALID, [path])


def test_a_character_named_twice_in_a_scene_is_refused() -> None:
    """Its references would be sent, and paid for, twice."""
    body = {**PREDICTION, "characters": ["elena", "elena"]}
    assert refusal(PredictionBody, body)[2] == ["characters"]
    body = _scenes({**SCENE, "characters": ["elena", "marcus", "elena"]})
    assert refusal(StoryboardBody, body)[2] == ["scenes[0].characters"]


NOT_JSON = "/problems/not-json"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "hello",
        "{'model': 1}",
        '{"model": }',
        '{"seed": NaN}',
        '{"seed": Infinity}',
        '{"options": {"x": -Infinity}}',
        '{"a": 1}{"b": 2}',
        "[" * 100_000,
        '{"a":' * 40_000 + "1" + "}" * 40_000,
        '{"seed": ' + "9" * 5000 + "}",
        "\ud800",
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_what_is_not_json(text: str) -> None:
    for kind in (PredictionBody, StoryboardBody, CharacterBody):
        assert refusal(kind, text) == (400, NOT_JSON, [])


@pytest.mark.parametrize("text", ["null", "5", '"text"', "[]", "true"])
def test_json_that_is_no_object(text: str) -> None:
    status, problem, _ = refusal(PredictionBody, text)
    assert (status, problem) == (422, INVALID)


def test_deep_options_do_no_harm() -> None:
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    body = parse(PredictionBody, {"body": json.dumps({**PREDICTION, "options": {"x": deep}})})
    assert "x" in body.options


def test_a_body_may_have_256_kib_and_no_byte_more() -> None:
    padding = MAX_BODY_BYTES - len(json.dumps({**PREDICTION, "style": ""}))
    whole = json.dumps({**PREDICTION, "style": " " * padding})
    assert len(whole) == MAX_BODY_BYTES
    assert refusal(PredictionBody, whole)[1] == INVALID, "read, then found empty"
    too_large: tuple[int, str, list[str]] = (413, "/problems/payload-too-large", [])
    assert refusal(PredictionBody, whole + " ") == too_large
    assert refusal(PredictionBody, "é" * (MAX_BODY_BYTES // 2 + 1)) == too_large
    encoded = base64.b64encode(whole.encode() + b" ").decode()
    assert refusal(PredictionBody, encoded, isBase64Encoded=True) == too_large
    assert refusal(PredictionBody, "x" * 6_000_000) == too_large


def test_base64_is_unpacked_and_a_bad_one_is_refused() -> None:
    text = base64.b64encode(json.dumps(PREDICTION).encode()).decode()
    assert parse(PredictionBody, {"body": text, "isBase64Encoded": True}).model == "flux-2-pro"
    assert refusal(PredictionBody, "%%%", isBase64Encoded=True)[:2] == (422, INVALID)
    assert refusal(PredictionBody, "gA==", isBase64Encoded=True)[1] == NOT_JSON


def answer(kind: type[BaseModel], text: str) -> int:
    """The status of any body; an error that is not the caller's would raise."""
    try:
        parse(kind, {"body": text})
    except StoryhookError as error:
        sent: int = problems.response(error)["statusCode"]
        return sent
    return 202


@given(st.text(max_size=300))
def test_any_text_is_answered(text: str) -> None:
    assert answer(PredictionBody, text) in (202, 400, 422)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*PREDICTION, "scenes", "x", "\ud800"]), inner, max_size=4
            )
        ),
        max_leaves=10,
    )
)
def test_any_json_is_answered(document: Any) -> None:
    for kind in (PredictionBody, StoryboardBody, CharacterBody):
        assert answer(kind, json.dumps(document)) in (202, 400, 422)


def test_the_raw_bytes_of_a_webhook() -> None:
    assert raw_body({"body": "é"}) == b"\xc3\xa9"
    assert raw_body({"body": "/w==", "isBase64Encoded": True}) == b"\xff"
    assert raw_body({}) == raw_body({"body": None}) == b""
    with pytest.raises(PayloadTooLarge):
        raw_body({"body": "x" * (1024 * 1024 + 1)})


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (InvalidRequest("x."), 422, "invalid-request"),
        (UnknownModel("x."), 422, "unknown-model"),
        (BadReference("x."), 422, "bad-reference"),
        (NotFound("x."), 404, "not-found"),
        (BadSignature("x."), 401, "bad-signature"),
        (StaleSignature("x."), 401, "stale-signature"),
        (PayloadTooLarge("x."), 413, "payload-too-large"),
        (DownloadFailed("x.", retryable=True), 503, "download-failed"),
        (SettingsError("x."), 503, "misconfigured"),
        (ProviderKeyMissing("fal", "FAL_KEY"), 503, "provider-key-missing"),
    ],
)
def test_which_error_is_which_status(error: StoryhookError, status: int, slug: str) -> None:
    error.errors = (FieldError("a[0].b", "do this"),)
    body = problems.problem(error)
    assert body["type"] == f"/problems/{slug}"
    assert body["status"] == status
    assert body["errors"] == [{"path": "a[0].b", "message": "do this"}]


def test_what_a_whole_board_turns_into() -> None:
    request = parse(StoryboardBody, {"body": json.dumps(BOARD)}).to_request()
    first, second = request.scenes
    assert (first.id, first.position, first.overrides) == (
        "scene-1", 1, {"elena": {"outfit": "green cloak"}},
    )  # fmt: skip
    assert (second.id, second.position) == ("scene-2", 2)
    assert request.look.style == "storybook watercolour"
    [marcus] = request.characters
    assert marcus.references[0].role == "face"


def test_fallbacks_of_a_board_and_of_its_scenes() -> None:
    """What a scene does not say is the board's: the domain decides that, not this edge."""
    asked = {"fallback_models": ["a", "b"], "fallback_on_block": True, "queue_timeout_seconds": 60}
    said, silent = {**SCENE, **asked}, {**SCENE, "fallback_models": []}
    board = parse(StoryboardBody, {"body": json.dumps({**_scenes(SCENE, said, silent), **asked})})
    names = tuple(asked)
    values = [("a", "b"), True, 60]
    request = board.to_request()
    assert [getattr(request, name) for name in names] == values
    found = [[getattr(scene, name) for name in names] for scene in request.scenes]
    assert found == [[None, None, None], values, [(), None, None]]
    plain = parse(StoryboardBody, {"body": json.dumps(MINIMAL)}).to_request()
    assert [getattr(plain, name) for name in names] == [(), False, 3600]


@pytest.mark.parametrize(
    ("kind", "body"), [(PredictionBody, PREDICTION), (StoryboardBody, MINIMAL)]
)
def test_how_often_a_picture_may_be_paid_for(kind: Any, body: dict[str, Any]) -> None:
    def asked(**more: Any) -> int:
        request = parse(kind, {"body": json.dumps({**body, **more})}).to_request()
        most: int = request.max_paid_attempts
        return most

    assert [asked(), asked(max_paid_attempts=1), asked(max_paid_attempts=3)] == [1, 1, 3]
    for wrong in (0, 4, -1, 2.0, "2", True, None):
        found = refusal(kind, {**body, "max_paid_attempts": wrong})
        assert found == (422, INVALID, ["max_paid_attempts"])


def test_options_of_the_board_hold_for_each_scene_unless_it_says_otherwise() -> None:
    body = {**_scenes({**SCENE, "options": {"a": 2}}, SCENE), "options": {"a": 1, "b": 1}}
    request = parse(StoryboardBody, {"body": json.dumps(body)}).to_request()
    assert [scene.options for scene in request.scenes] == [{"a": 2, "b": 1}, {"a": 1, "b": 1}]


def test_the_short_form_of_one_reference() -> None:
    body = {**CHARACTER, "reference_image_url": "https://x.example/a.png"}
    request = parse(CharacterBody, {"body": json.dumps(body)}).to_request()
    assert [ref.url for ref in request.references] == ["https://x.example/a.png", events.REFERENCE]


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        (PredictionBody, {"model": "a"}, "This field is required."),
        (
            StoryboardBody,
            {**MINIMAL, "Style": "ink"},
            "There is no such field here; mend its name or leave it out.",
        ),
        (StoryboardBody, {**MINIMAL, "fallback_models": "schnell"}, "Give a list."),
        (StoryboardBody, {**MINIMAL, "options": []}, "Give an object."),
        (StoryboardBody, {**MINIMAL, "scenes": ["They meet"]}, "Give an object."),
        (StoryboardBody, {**MINIMAL, "scenes": []}, "Give at least 1."),
        (StoryboardBody, {**MINIMAL, "palette": ["red"] * 6}, "Give at most 5."),
        (
            StoryboardBody,
            {**MINIMAL, "scenes": [{**SCENE, "characters": ["elena", "elena"]}]},
            "a character is named twice; name each once",
        ),
    ],
)
def test_a_wrong_field_is_told_in_words_of_json(
    kind: type[BaseModel], body: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(kind, {"body": json.dumps(body)})
    assert [error.message for error in caught.value.errors] == [message]


HOOK = {"callback_url": "https://x.example/hooks"}
NO_EVENT = (
    "there is no event 'scene.done'; choose from prediction.completed, scene.completed, "
    "storyboard.completed"
)


@pytest.mark.parametrize(
    ("kind", "asked", "path", "message"),
    [
        (StoryboardBody, {**HOOK, "callback_events": ["scene.done"]}, "callback_events", NO_EVENT),
        (StoryboardBody, {**HOOK, "callback_events": []}, "callback_events", "Give at least 1."),
        (StoryboardBody, {**HOOK, "callback_events": "all"}, "callback_events", "Give a list."),
        (
            StoryboardBody,
            {"callback_events": ["scene.completed"]},
            "callback_events",
            "give a callback_url to send them to, or leave them out",
        ),
        (
            StoryboardBody,
            {"callback_url": "", "callback_events": ["scene.completed"]},
            "callback_url",
            "String should have at least 1 character",
        ),
        (
            PredictionBody,
            {"callback_events": ["prediction.completed"]},
            "callback_events",
            "give a callback_url to send them to, or leave them out",
        ),
        (
            PredictionBody,
            {**HOOK, "callback_events": ["prediction.completed", "scene.completed"]},
            "callback_events",
            "a prediction has prediction.completed only; for the others POST /storyboards",
        ),
        (PredictionBody, {**HOOK, "callback_events": ["scene.done"]}, "callback_events", NO_EVENT),
    ],
)
def test_events_that_cannot_come_are_refused(
    kind: type[BaseModel], asked: dict[str, Any], path: str, message: str
) -> None:
    body = MINIMAL if kind is StoryboardBody else {"model": "a", "prompt": "b"}
    with pytest.raises(InvalidRequest) as caught:
        parse(kind, {"body": json.dumps({**body, **asked})})
    assert [(error.path, error.message) for error in caught.value.errors] == [(path, message)]


def test_events_as_asked_and_as_nobody_asked() -> None:
    asked = ["storyboard.completed", "scene.completed", "storyboard.completed"]
    given = {**MINIMAL, **HOOK, "callback_events": asked}
    request = parse(StoryboardBody, {"body": json.dumps(given)}).to_request()
    assert request.callback_events == ("scene.completed", "storyboard.completed")
    plain = parse(StoryboardBody, {"body": json.dumps(MINIMAL)}).to_request()
    assert plain.callback_events == ("storyboard.completed",)
    one = {"model": "a", "prompt": "b", **HOOK, "callback_events": ["prediction.completed"]}
    assert parse(PredictionBody, {"body": json.dumps(one)}).to_request().callback_url


def test_a_rotation_needs_no_body_and_takes_no_other_field() -> None:
    assert parse(RotationBody, {}, optional=True).force is False
    assert parse(RotationBody, {"body": '{"force": true}'}, optional=True).force is True
    for wrong in ('{"force": 1}', '{"Force": true}'):
        with pytest.raises(InvalidRequest):
            parse(RotationBody, {"body": wrong}, optional=True)
    with pytest.raises(InvalidRequest):
        parse(RotationBody, {"queryStringParameters": {"force": "true"}}, optional=True)
    with pytest.raises(problems.NotJson):
        parse(PredictionBody, {})


def test_who_is_calling() -> None:
    key = caller(events.http("POST /predictions", PREDICTION))
    assert (key.id, key.tenant) == ("key_1", "acme")


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "x", "", "١", "9" * 5000, "1 "])
def test_a_bad_limit(limit: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        reading.paging({"queryStringParameters": {"limit": limit}})
    assert [error.path for error in caught.value.errors] == ["limit"]


def listing(path: str = "/predictions", tenant: str = "acme", **query: str) -> Any:
    event = events.default("GET", path, query=query)
    event["requestContext"]["authorizer"]["lambda"]["tenant"] = tenant
    return event


@pytest.mark.parametrize("cursor", ["", "a b", "x" * 65, "../x", "é", '{"pk": 1}', "pred_1"])
def test_a_bad_cursor(cursor: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        reading.paging(listing(cursor=cursor))
    assert [error.path for error in caught.value.errors] == ["cursor"]


@pytest.mark.parametrize("row_id", ["pred_1", "x" * 64, "a-b_c"])
def test_a_cursor_stands_for_the_id_it_was_made_of(row_id: str) -> None:
    cursor = cursors.cursor_of(listing(), row_id.encode())
    assert reading.paging(listing(cursor=cursor, limit="100")) == (100, row_id)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor), "it goes into a URL as it is"
    assert row_id not in cursor


def test_a_cursor_is_good_for_its_own_list() -> None:
    cursor = cursors.cursor_of(listing(), b"pred_1")
    others = [
        listing("/storyboards", cursor=cursor),
        listing(tenant="emca", cursor=cursor),
        listing(cursor=cursor[:-1]),
        listing(cursor=cursor + "A"),
        listing(cursor=cursor[1:]),
    ]
    for event in others:
        with pytest.raises(InvalidRequest):
            reading.paging(event)


def test_a_cursor_that_holds_no_id_is_refused() -> None:
    """Anybody can make one; the check is no signature."""
    with pytest.raises(InvalidRequest):
        reading.paging(listing(cursor=cursors.cursor_of(listing(), b"PRED#x")))


def test_paging_as_told() -> None:
    assert reading.paging({}) == (20, None)


@pytest.mark.parametrize("seconds", ["-1", "21", "1.5", "", "x", "5s"])
def test_a_bad_wait(seconds: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        reading.wait_of({"queryStringParameters": {"wait": seconds}})
    assert [error.path for error in caught.value.errors] == ["wait"]


def test_a_wait_is_up_to_twenty_seconds() -> None:
    assert reading.wait_of({}) == 0
    assert reading.wait_of({"queryStringParameters": {"wait": "20"}}) == 20


@pytest.mark.parametrize(
    "kind",
    [
        *("application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json"),
        *("application/x-www-form-urlencoded", "text/plain;charset=UTF-8"),
    ],
)
def test_a_body_is_json_whatever_curl_calls_it(kind: str) -> None:
    event = {"body": json.dumps(PREDICTION), "headers": {"content-type": kind}}
    assert parse(PredictionBody, event).model == PREDICTION["model"]


@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=x", "application/xml", "image/png"]
)
def test_a_body_of_another_type_is_refused(kind: str) -> None:
    with pytest.raises(problems.UnsupportedMediaType):
        parse(PredictionBody, {"body": "{}", "headers": {"content-type": kind}})
    assert parse(NothingBody, {"headers": {"content-type": kind}}, optional=True)


@pytest.mark.parametrize("name", ["status", "colour", "Limit"])
def test_what_a_read_would_ignore_is_refused(name: str) -> None:
    event = {"queryStringParameters": {name: "failed"}}
    with pytest.raises(InvalidRequest) as caught:
        reading.paging(event)
    assert [error.path for error in caught.value.errors] == [name]
    watch, characters = WatchRoutes, CharacterRoutes
    for read in (
        *(characters.get_character, watch.get_storyboard, watch.get_prediction),
        watch.list_events,
    ):
        with pytest.raises(InvalidRequest, match=name):
            read(SimpleNamespace(), event, "x")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match=name):
        CallbackRoutes.get_callback(SimpleNamespace(), event, "x")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match=name):
        CallbackRoutes.get_callback_secret(SimpleNamespace(), event)  # type: ignore[arg-type]


def test_a_list_takes_its_filters() -> None:
    assert reading.paging({"queryStringParameters": {"status": "failed"}}, ("status",))


# --- dry runs ---


@pytest.mark.parametrize(("query", "wanted"), [({}, False), ({"dry_run": "true"}, True)])
def test_a_dry_run_is_asked_for(query: dict[str, str], wanted: bool) -> None:
    assert wants_dry_run({"queryStringParameters": query}) is wanted
    assert wants_dry_run({"queryStringParameters": {"dry_run": "false"}}) is False


@pytest.mark.parametrize("value", ["True", "1", "", "yes"])
def test_a_dry_run_that_is_not_clear_is_refused(value: str) -> None:
    with pytest.raises(InvalidRequest):
        wants_dry_run({"queryStringParameters": {"dry_run": value}})


@pytest.mark.parametrize("name", ["dryrun", "dry-run", "wait"])
def test_a_misspelt_dry_run_costs_nothing(name: str) -> None:
    event = {"body": json.dumps(PREDICTION), "queryStringParameters": {name: "true"}}
    with pytest.raises(InvalidRequest, match=name):
        parse(PredictionBody, event, query=("dry_run",))


def test_what_a_scene_says_of_references_wins_over_the_board() -> None:
    scenes = [{"description": "a"}, {"description": "b", "without_references": "refuse"}]
    document = {"model": "m", "without_references": "describe", "scenes": scenes}
    request = parse(StoryboardBody, {"body": json.dumps(document)}).to_request()
    assert [scene.without_references for scene in request.scenes] == ["describe", "refuse"]


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ({"sort": "colour"}, ["sort"]),
        ({"limit": "1"}, ["limit"]),
        ({"limit": "1", "sort": ""}, ["limit", "sort"]),
    ],
)
def test_a_wrong_parameter_of_models_is_named(query: dict[str, str], paths: list[str]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        service.Api.list_models(SimpleNamespace(), {"queryStringParameters": query})  # type: ignore[arg-type]
    assert [error.path for error in caught.value.errors] == paths
