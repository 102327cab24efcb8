"""Character sheets: what is made, all or nothing, and what the caller takes of it."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from storyhook.aws import clients
from storyhook.domain.errors import (
    InvalidCallbackUrl,
    InvalidRequest,
    MaxCostExceeded,
    NotFound,
    PriceUnknown,
    ProviderKeyMissing,
    StoryhookError,
    UnknownModel,
)
from storyhook.domain.prediction import Prediction, Status
from storyhook.domain.requests import ReferenceRequest, SheetRequest
from storyhook.domain.story import ANGLES
from storyhook.usecases.sheets import SheetPlan
from tests.fixtures import makers
from tests.fixtures.cloud import SECRETS
from tests.fixtures.world import CALLBACK_URL, World, done


@pytest.fixture
def cast(world: World) -> World:
    """Elena with her face, Marcus from words alone, a place and a thing."""
    world.characters.replace(makers.character(), None)
    world.characters.replace(makers.character("marcus", references=0), None)
    tavern = makers.character("tavern", kind="location")
    straight_on = (makers.reference("ref_tavern", role="place"),)
    world.characters.replace(replace(tavern, references=straight_on), None)
    world.characters.replace(makers.character("map", kind="prop", references=0, outfit=None), None)
    return world


def plan(world: World, name: str = "elena", **asked: Any) -> SheetPlan:
    return world.sheet.plan("acme", name, SheetRequest(**asked))


def make(world: World, name: str = "elena", **asked: Any) -> list[Prediction]:
    sheet = world.sheet.accept(makers.KEY, name, SheetRequest(**asked), world.origin())
    world.sheet.send(sheet.rows)
    return list(sheet.rows)


def angles(sheet: SheetPlan) -> list[str]:
    return [angle for angle, _ in sheet.plans]


@pytest.mark.parametrize(
    ("name", "asked", "role", "made"),
    [
        ("elena", {}, "face", ["three_quarter", "profile", "back"]),
        (
            "elena",
            {"role": "full_body"},
            "full_body",
            list(ANGLES),
        ),
        ("elena", {"angles": ("back", "front")}, "face", ["front", "back"]),
        ("marcus", {}, "full_body", list(ANGLES)),
        ("tavern", {}, "place", ["three_quarter", "back"]),
        ("map", {}, "object", ["front", "profile", "back"]),
    ],
)
def test_the_missing_angles_are_made(
    cast: World, name: str, asked: dict[str, Any], role: str, made: list[str]
) -> None:
    sheet = plan(cast, name, **asked)
    assert (sheet.role, angles(sheet)) == (role, made)


def test_one_picture_shows_who_it_is_and_the_words_say_from_where(cast: World) -> None:
    sheet = plan(cast, role="full_body", seed=7)
    for (angle, planned), words in zip(
        sheet.plans, ("from the front", "three-quarter", "in profile", "from behind"), strict=True
    ):
        assert words in planned.prompt, angle
        assert "One single picture of Elena, standing upright" in planned.prompt
        assert "Elena (person from image 1)" in planned.prompt
        assert "Exactly one person, no one else in the frame." in planned.prompt
        assert "light grey studio background" in planned.prompt
        assert "as the picture of Elena" in planned.prompt
        assert [ref.reference.id for ref in planned.references] == ["ref_elena_0"]
        assert (planned.model, planned.seed, planned.aspect_ratio) == (makers.FAL, 7, "3:4")
    assert len({planned.prompt for _, planned in sheet.plans}) == 4
    assert sheet.warnings == ()
    assert sheet.cost == sum(planned.price.total or 0 for _, planned in sheet.plans)


def test_without_a_picture_the_text_model_draws_from_words(cast: World) -> None:
    sheet = plan(cast, "marcus", style="ink")
    assert {planned.model for _, planned in sheet.plans} == {"fal-flux2-pro"}
    assert {planned.references for _, planned in sheet.plans} == {()}
    assert "marcus with long red hair" in sheet.plans[0][1].prompt
    assert "Style: ink." in sheet.plans[0][1].prompt
    assert any("make the front first" in text for text in sheet.warnings)
    alone = plan(cast, "marcus", angles=("front",))
    assert not any("make the front first" in text for text in alone.warnings)


def test_a_place_is_empty_and_a_thing_alone(cast: World) -> None:
    [(_, place), _] = plan(cast, "tavern").plans
    assert "empty and quiet" in place.prompt
    assert (place.aspect_ratio, "person" in place.prompt) == ("16:9", False)
    [(_, thing), *_] = plan(cast, "map").plans
    assert "alone, whole and centred" in thing.prompt
    assert (thing.aspect_ratio, "studio background" in thing.prompt) == ("1:1", True)


def test_the_pictures_are_predictions_like_any_other(cast: World) -> None:
    rows = make(cast, callback_url=CALLBACK_URL)
    assert [row.input["sheet"]["angle"] for row in rows] == ["three_quarter", "profile", "back"]
    assert cast.provider.submitted == []
    assert {cast.row(row).status for row in rows} == {Status.QUEUED}
    cast.submit_all()
    assert len(cast.provider.submitted) == 3
    for row in rows:
        handle = cast.row(row).handle
        assert handle is not None
        cast.webhook(row, done("fal", handle.provider_id))
    assert {cast.row(row).status for row in rows} == {Status.SUCCEEDED}
    cast.deliver_all()
    assert [event["data"]["id"] for event in cast.customer.events] == [row.id for row in rows]
    assert {event["type"] for event in cast.customer.events} == {"prediction.completed"}


def test_what_the_caller_approves_becomes_a_reference_as_the_sheet_meant_it(cast: World) -> None:
    rows = make(cast)
    cast.submit_all()
    for row in rows:
        handle = cast.row(row).handle
        assert handle is not None
        cast.webhook(row, done("fal", handle.provider_id))
    *_, back = rows
    elena, added = cast.edit.add_reference("acme", "elena", ReferenceRequest(prediction=back.id))
    assert added
    assert (elena.version, elena.references[-1].role, elena.references[-1].angle) == (
        2,
        "face",
        "back",
    )
    told = ReferenceRequest(prediction=back.id, role="full_body", angle="profile")
    elena, _ = cast.edit.add_reference("acme", "elena", told)
    assert (elena.references[-1].role, elena.references[-1].angle) == ("full_body", "profile")
    assert angles(plan(cast)) == ["three_quarter", "profile"]


def test_rows_are_written_all_or_none(cast: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them is there already: none is written then, whoever wrote it."""
    rows = cast.sheet.accept(makers.KEY, "elena", SheetRequest(), cast.origin()).rows
    with pytest.raises(FileExistsError):
        cast.predictions.add_all([makers.prediction(), rows[0]])
    found = [item for item in cast.cloud.rows() if item["sk"]["S"] == "PRED"]
    assert len(found) == 3
    transactions = cast.cloud.operations("TransactWriteItems")
    assert [len(call["TransactItems"]) for call in transactions] == [3, 2]


def test_a_message_that_is_lost_is_made_up_for(cast: World) -> None:
    rows = cast.sheet.accept(makers.KEY, "elena", SheetRequest(), cast.origin()).rows
    assert cast.cloud.sent(cast.cloud.submissions_url) == []
    cast.sweep(minutes=5, seconds=1)
    cast.submit_all()
    assert {cast.row(row).status for row in rows} == {Status.SUBMITTED}


@pytest.mark.parametrize(
    ("name", "asked", "error", "path"),
    [
        ("elena", {"max_cost": Decimal("0.1349")}, MaxCostExceeded, "max_cost"),
        ("elena", {"model": "fal-uso", "max_cost": Decimal(9)}, PriceUnknown, "max_cost"),
        ("elena", {"model": "midjourney"}, UnknownModel, "model"),
        ("elena", {"callback_url": "http://x.example"}, InvalidCallbackUrl, "callback_url"),
        ("tavern", {"role": "face"}, InvalidRequest, "role"),
        ("nobody", {}, NotFound, None),
    ],
)
def test_a_refusal_writes_nothing(
    cast: World, name: str, asked: dict[str, Any], error: type[StoryhookError], path: str | None
) -> None:
    before = cast.cloud.state()
    with pytest.raises(error) as caught:
        make(cast, name, **asked)
    assert [told.path for told in caught.value.errors] == ([path] if path else [])
    assert cast.cloud.state() == before


def test_max_cost_is_what_it_may_cost_at_most(cast: World) -> None:
    assert len(make(cast, max_cost=Decimal("0.135"))) == 3


def test_a_full_sheet_asks_for_the_angles_to_make_anew(cast: World) -> None:
    elena = cast.characters.get("acme", "elena")
    assert elena is not None
    views = tuple(makers.reference(f"ref_{angle}", angle=angle) for angle in ANGLES)
    assert cast.characters.replace(replace(elena, version=2, references=views), elena)
    with pytest.raises(InvalidRequest, match="name the angles"):
        plan(cast)
    assert angles(plan(cast, angles=("back",))) == ["back"]


def test_the_model_is_one_of_a_provider_with_a_key(cast: World) -> None:
    clients.client("ssm").delete_parameter(Name=f"{SECRETS}/fal-key")
    assert {row.model for row in make(cast)} == {makers.REPLICATE}
    with pytest.raises(ProviderKeyMissing):
        make(cast, model=makers.FAL)


def test_another_tenants_character_has_no_sheet(cast: World) -> None:
    with pytest.raises(NotFound):
        cast.sheet.plan("other", "elena", SheetRequest())
