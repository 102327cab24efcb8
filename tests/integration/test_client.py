"""The client against the functions themselves, over real HTTP; AWS in moto, providers simulated."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from storyhook.domain.outcome import Failure, FailureKind
from storyhook.domain.prediction import Status
from storyhook_client import Patience, Storyhook, errors
from storyhook_client.answers import (
    Answer,
    Callback,
    CallbackSecret,
    Character,
    Export,
    Model,
    News,
    Plan,
    Prediction,
    Scene,
    Sheet,
    SheetEstimate,
    StaleBoard,
    Storyboard,
    StoryboardPlan,
    StoryboardSummary,
    Upload,
)
from storyhook_client.boardfile import dump
from storyhook_client.cli.main import main
from storyhook_client.imports import formats
from storyhook_client.transport import Surroundings
from tests.fixtures import events, functions, makers
from tests.fixtures.clock import NOW, Clock
from tests.fixtures.cloud import Cloud
from tests.fixtures.door import Door, opened
from tests.fixtures.functions import Stage
from tests.fixtures.gateway import Gateway
from tests.fixtures.pictures import picture
from tests.fixtures.template import ROOT

SOURCES = ROOT / "tests/fixtures/imports"
BOARD = {
    "title": "The ancient map",
    "model": "flux-2-pro",
    "fallback_models": ["rep-flux2-pro"],
    "callback_url": events.CALLBACK_URL,
    "scenes": [
        {"description": "Elena laughs", "characters": ["elena"], "caption": "Ha."},
        {"description": "Elena sleeps", "characters": ["elena"]},
    ],
}


@pytest.fixture
def stage(cloud: Cloud, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with functions.staged(cloud, clock, monkeypatch) as stage:
        stage.seed_all()
        yield stage


@pytest.fixture
def door(stage: Stage) -> Iterator[Door]:
    with opened(Gateway(stage)) as door:
        yield door


@pytest.fixture
def client(door: Door) -> Iterator[Storyhook]:
    around = Surroundings(sleep=lambda _: None)
    with Storyhook(door.url, events.API_KEY, around=around) as client:
        yield client


@pytest.fixture
def terminal(
    door: Door, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """The command with this stack: its exit code, and what it printed."""
    monkeypatch.setenv("STORYHOOK_URL", door.url)
    monkeypatch.setenv("STORYHOOK_API_KEY", events.API_KEY)
    monkeypatch.setenv("COLUMNS", "160")

    def run(*arguments: object) -> tuple[int, str, str]:
        code = main([str(each) for each in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def unnamed(answer: Answer, path: str = "") -> Iterator[str]:
    """The fields that the API answers and the client's types do not name."""
    yield from (f"{path}{type(answer).__name__}.{name}" for name in answer.model_extra or {})
    for name in type(answer).model_fields:
        value = getattr(answer, name)
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, Answer):
                yield from unnamed(each, f"{path}{type(answer).__name__}.")


def test_every_field_that_is_answered_is_named(client: Storyhook, stage: Stage) -> None:
    stage.run("webhook", json.loads(events.path_of("webhook/fal_ok").read_text(encoding="utf-8")))
    failure = Failure(FailureKind.BLOCKED, "Change the words.", "content_policy_violation")
    blocked = makers.prediction(
        Status.BLOCKED, failure=failure, completed_at=NOW, cancel_requested_at=NOW
    )
    stage.predictions.add(blocked)
    stage.seed_export()
    stage.run("export", json.loads(events.path_of("export/zip").read_text(encoding="utf-8")))
    made = client.storyboards.create(BOARD)
    client.storyboards.cancel(made.id)
    answers: list[Answer] = [
        made,
        *client.predictions.list(),
        *client.storyboards.list(),
        *client.exports.list(events.BOARD_THAT_ENDED),
        *(client.storyboards.get(board.id) for board in client.storyboards.list()),
        client.storyboards.estimate(BOARD),
        client.predictions.estimate(
            {"model": "flux-2-pro", "prompt": "x", "characters": ["elena"]}
        ),
        client.storyboards.news(made.id),
        *client.models.list(),
        *client.characters.list(),
        *client.callbacks.list(),
        *(client.callbacks.get(callback.id) for callback in client.callbacks.list()),
        client.callbacks.secret(),
    ]
    assert not {name for answer in answers for name in unnamed(answer)}
    assert {type(answer) for answer in answers} == {
        Callback, CallbackSecret, Character, Export, Model, News, Plan, Prediction, Storyboard,
        StoryboardPlan, StoryboardSummary,
    }  # fmt: skip
    done = client.predictions.get(events.PREDICTIONS["fal"])
    assert done.output
    assert done.output.images[0].sha256
    assert client.predictions.get(blocked.id).error


def test_every_field_of_the_library_is_named(
    client: Storyhook, stage: Stage, tmp_path: Path
) -> None:
    file = tmp_path / "elena.png"
    file.write_bytes(picture(64, 64))
    library = client.characters
    board = client.storyboards.create(BOARD)
    upload = client.uploads.create("image/png", file.stat().st_size)
    # The form itself is tried on the local cloud.
    stage.images.put(upload.fields["key"], file.read_bytes(), "image/png")
    changed = library.add_reference("elena", {"upload": upload.id, "angle": "profile"})
    made = library.sheet("elena", {"angles": ["back"]})
    answers: list[Answer] = [
        upload,
        changed,
        library.update("elena", {"outfit": "a green cloak"}),
        library.get("elena", version=1),
        *library.versions("elena"),
        *library.stale("elena"),
        library.estimate_sheet("elena", {"angles": ["back"]}),
        made,
        *(client.predictions.get(item.id) for item in made.items),
        library.remove_reference("elena", changed.references[-1].id),
    ]
    client.storyboards.cancel(board.id)
    told = client.storyboards.news(board.id)
    data = {event.type: event.data for event in told.items}
    answers += [
        told,
        Prediction.of(data["prediction.completed"]),
        Scene.of(data["scene.completed"]),
        StoryboardSummary.of(data["storyboard.completed"]),
    ]
    assert not {name for answer in answers for name in unnamed(answer)}
    assert {type(answer) for answer in answers} == {
        Character, News, Prediction, Scene, Sheet, SheetEstimate, StaleBoard, StoryboardSummary,
        Upload,
    }  # fmt: skip
    assert changed.references[-1].angle == "profile"
    assert changed.stale
    assert board.id in [each.storyboard_id for each in changed.stale.items]


def test_a_board_is_shared(client: Storyhook, door: Door) -> None:
    boards = client.storyboards
    made = boards.share(events.BOARD, lifetime=timedelta(hours=12))
    assert not set(unnamed(made))
    assert made.expires_at == (NOW + timedelta(hours=12)).replace(microsecond=0)
    assert made.url
    assert made.url.endswith(f"/storyboards/{events.BOARD}/view#share={made.secret}")
    with Storyhook(door.url, made.secret or "") as visitor:
        assert visitor.storyboards.get(events.BOARD).id == events.BOARD
        with pytest.raises(errors.MissingScope):
            visitor.storyboards.share(events.BOARD)
    assert [(share.id, share.url) for share in boards.shares(events.BOARD)] == [(made.id, None)]
    boards.revoke_share(events.BOARD, made.id)
    assert [share.revoked_at for share in boards.shares(events.BOARD)] == [NOW]


def test_a_link_is_printed(
    door: Door, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STORYHOOK_URL", door.url)
    monkeypatch.setenv("STORYHOOK_API_KEY", events.API_KEY)
    assert main(["share", events.BOARD, "--expires", "90m"]) == 0
    link, then = capsys.readouterr().out.splitlines()
    assert f"/storyboards/{events.BOARD}/view#share=shr_" in link
    assert then.startswith("until 2026-01-01 01:30")
    share_id = then.split()[-1]
    assert main(["shares", "list", events.BOARD]) == 0
    shown = capsys.readouterr().out
    assert share_id in shown
    assert "shr_" not in shown
    assert main(["shares", "revoke", events.BOARD, share_id]) == 0
    assert capsys.readouterr().out == f"{share_id} is revoked\n"
    assert main(["share", events.BOARD, "--expires", "a week"]) == 2
    assert "write 90m, 12h or 7d" in capsys.readouterr().err
    door.lose_answers = 1
    assert main(["share", events.BOARD]) == 3
    assert "its link got lost" in capsys.readouterr().out


def test_an_answer_that_is_lost_is_asked_for_again_and_paid_once(
    door: Door, stage: Stage, client: Storyhook
) -> None:
    door.lose_answers = 2
    made = client.predictions.create(
        {"model": "flux-2-pro", "prompt": "Elena laughs", "characters": ["elena"]}
    )
    posts = [headers for method, _, headers in door.seen if method == "POST"]
    assert len(posts) == 3
    assert len({headers["idempotency-key"] for headers in posts}) == 1
    assert client.predictions.get(made.id).id == made.id
    paid = [request for request in stage.providers.requests if request.method == "POST"]
    assert len(paid) == 1


def test_a_refusal_has_its_class_and_the_fields(client: Storyhook, stage: Stage) -> None:
    scenes = [{"description": "x", "characters": ["elna"]}]
    with pytest.raises(errors.UnknownCharacter) as raised:
        client.storyboards.create({**BOARD, "scenes": scenes})
    assert raised.value.errors[0].path == "scenes[0].characters[0]"
    with pytest.raises(errors.UnknownModel):
        client.storyboards.create({**BOARD, "model": "flux-3"})
    with pytest.raises(errors.InvalidRequest) as invalid:
        client.storyboards.create({**BOARD, "scenes": []})
    assert invalid.value.status == 422
    with pytest.raises(errors.NotFound):
        client.predictions.get("pred_none")
    assert stage.providers.requests == []
    assert len(list(client.storyboards.list())) == 2  # those of the stage


def test_a_key_that_is_not_known(door: Door) -> None:
    with (
        Storyhook(door.url, "shk_other", patience=Patience(attempts=1)) as stranger,
        pytest.raises(errors.Unauthorized),
    ):
        stranger.models.list()


def test_what_is_over_is_not_waited_for(client: Storyhook, stage: Stage) -> None:
    row = makers.prediction(Status.CANCELED, completed_at=NOW)
    stage.predictions.add(row)
    assert client.predictions.wait(row.id, timeout_seconds=60).status == "canceled"


def test_pages_go_on_to_the_end(client: Storyhook, stage: Stage) -> None:
    for n in range(5):
        stage.predictions.add(makers.prediction(created_at=NOW + timedelta(seconds=n)))
    found = [each.id for each in client.predictions.list(limit=2)]
    assert len(found) == len(set(found)) >= 5


@pytest.mark.parametrize(
    ("source", "scenes"), [("shots.csv", 3), ("vistorybench/01", 2), ("vimax", 2)]
)
def test_what_is_imported_is_a_board_that_can_be_planned(
    client: Storyhook, stage: Stage, tmp_path: Path, source: str, scenes: int
) -> None:
    shutil.copytree(SOURCES, tmp_path / "s")
    for name in ("elena-front.png", "elena-side.png"):
        (tmp_path / "s" / name).write_bytes(picture(64, 64))
    cast = tmp_path / "s/cast.csv" if source.endswith(".csv") else None
    story = formats.load(tmp_path / "s" / source, cast=cast)
    out = tmp_path / "board.yaml"
    out.write_text(dump(story.seen_from(tmp_path), out), encoding="utf-8")
    body = formats.load(out).body
    for character in body["characters"]:
        # The customer's own files are tried with uploads.
        character.pop("references", None)
    before = stage.cloud.state()
    planned = client.storyboards.estimate(body)
    assert [scene.id for scene in planned.scenes] == [scene["id"] for scene in body["scenes"]]
    assert len(planned.scenes) == scenes
    assert planned.cost.estimated is not None
    assert planned.cost.estimated > Decimal("0.01")
    for scene, wanted in zip(planned.scenes, body["scenes"], strict=True):
        assert wanted["description"].split()[0] in (scene.prompt or "")
    assert stage.cloud.state() == before


def test_the_command_makes_shows_and_stops_a_board(
    terminal: Callable[..., tuple[int, str, str]], tmp_path: Path, stage: Stage
) -> None:
    file = tmp_path / "board.json"
    file.write_text(json.dumps(BOARD))
    code, out, err = terminal("create", file, "--json")
    assert (code, err) == (0, "")
    board = json.loads(out)
    assert [scene["status"] for scene in board["scenes"]] == ["queued", "queued"]
    assert board["id"] in terminal("list")[1]
    code, out, _ = terminal("show", board["id"])
    assert code == 0
    assert "scene-1" in out
    assert "Ha." in out
    code, out, _ = terminal("cancel", board["id"])
    assert code == 0
    assert stage.storyboards.get(board["id"]) is not None
    code, out, _ = terminal("show", board["id"], "--json")
    assert [scene["status"] for scene in json.loads(out)["scenes"]] == ["canceled", "canceled"]


def test_the_command_names_the_line_of_what_the_api_refuses(
    terminal: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    file = tmp_path / "board.yaml"
    file.write_text(
        "model: flux-2-pro\nscenes:\n- description: x\n  camra: low\n- description: y\n  seed: a\n"
    )
    code, out, err = terminal("create", file)
    assert (code, out) == (1, "")
    first, second = err.splitlines()[1:]
    assert first.startswith(f"  {file}:4: scenes[0].camra: ")
    assert first.endswith("Did you mean camera?")
    assert second.startswith(f"  {file}:6: scenes[1].seed: ")
    code, _, err = terminal("create", file, "--model", "flux-2-por", "--json")
    assert code == 1
    file.write_text("model: flux-2-por\nscenes:\n- description: x\n  characters: [elna]\n")
    code, _, err = terminal("estimate", file)
    assert code == 1
    assert "did you mean flux-2-pro" in err
    code, _, err = terminal("estimate", file, "--model", "flux-2-pro")
    assert f"{file}:4: scenes[0].characters[0]" in err
    assert "Did you mean elena?" in err


def test_models_by_price(terminal: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = terminal("models", "--sort", "price", "--json")
    assert code == 0
    costs = [m["price"]["example"]["cost"] for m in json.loads(out)["items"]]
    known = [Decimal(cost) for cost in costs if cost is not None]
    assert known == sorted(known)
    code, out, _ = terminal("models")
    assert f"{len(costs)} models from $" in out
