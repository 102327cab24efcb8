"""Which scenes an edit leaves behind, and what making them anew would cost."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from storyhook.aws.storyboards import BOARD, board_key
from storyhook.domain.library import StaleBoard
from storyhook.domain.prediction import Status
from storyhook.domain.requests import StoryboardRequest
from storyhook.domain.story import Character, Look, Scene
from storyhook.domain.storyboard import Storyboard
from tests.fixtures import makers
from tests.fixtures.world import World, done

MARCUS = ("marcus",)


def shown(page: Sequence[StaleBoard]) -> list[tuple[str, list[tuple[str, int, int]]]]:
    return [(b.storyboard_id, [(s.id, s.position, s.version) for s in b.scenes]) for b in page]


@pytest.fixture
def cast(world: World) -> World:
    for name in ("elena", "marcus"):
        world.characters.replace(makers.character(name), None)
    return world


def board(world: World, *scenes: Scene, **asked: Any) -> Storyboard:
    given: dict[str, Any] = {"look": Look(aspect_ratio="16:9"), "model": makers.REPLICATE, **asked}
    wanted = StoryboardRequest(
        title="The map", scenes=scenes, characters=(), seed=7, callback_url=None, **given
    )
    world.clock.advance(seconds=1)
    return world.create_board(makers.KEY, wanted, world.origin())[0]


def change(world: World, name: str = "elena", **changes: str | None) -> Character:
    changes = changes or {"outfit": f"cloak of {world.clock()}"}
    return world.edit.fields("acme", name, changes, None)


def test_a_board_pins_the_versions_it_was_planned_with(cast: World) -> None:
    change(cast)
    made = board(cast, makers.scene(), makers.scene(id="b", position=2, characters=MARCUS))
    assert made.character_versions == {"elena": 2, "marcus": 1}
    change(cast)
    kept = cast.storyboards.get(made.id)
    assert kept is not None
    assert kept.character_versions == {"elena": 2, "marcus": 1}
    rows = [row.input["character_versions"] for row in cast.rows_of(made)]
    assert rows == [{"elena": 2}, {"marcus": 1}]


def test_an_edit_leaves_the_scenes_of_that_character_behind(cast: World) -> None:
    first = board(
        cast,
        makers.scene(),
        makers.scene(id="b", position=2, characters=MARCUS),
        makers.scene(id="c", position=3, characters=("marcus", "elena")),
    )
    board(cast, makers.scene(characters=MARCUS))
    assert cast.stale("acme", "elena", 10).items == ()
    change(cast)
    second = board(cast, makers.scene())
    change(cast)
    page = cast.stale("acme", "elena", 10)
    assert shown(page.items) == [
        (second.id, [("scene-1", 1, 2)]),
        (first.id, [("scene-1", 1, 1), ("c", 3, 1)]),
    ]
    assert page.cursor is None
    assert [item.title for item in page.items] == ["The map", "The map"]


def test_the_cost_is_that_of_the_same_board_made_now(cast: World) -> None:
    """Elena has two more references by then, which Replicate bills; one scene has its own model."""
    scenes = (
        makers.scene(shot="wide", setting="a tavern", overrides={"elena": {"outfit": "cloak"}}),
        makers.scene(id="b", position=2, characters=("marcus", "elena")),
        makers.scene(id="c", position=3, model=makers.FAL),
        makers.scene(id="d", position=4, options={"resolution": "2 MP"}),
    )
    made = board(cast, *scenes, look=Look(style="ink", palette=("red",), aspect_ratio="1:1"))
    elena = cast.characters.get("acme", "elena")
    assert elena is not None
    more = tuple(makers.reference(f"ref_more_{n}", angle="back") for n in range(2))
    newer = dataclasses.replace(elena, version=2, references=(*elena.references, *more))
    assert cast.characters.replace(newer, elena)
    [stale] = cast.stale("acme", "elena", 10).items
    again = board(cast, *scenes, look=Look(style="ink", palette=("red",), aspect_ratio="1:1"))
    assert [scene.cost for scene in stale.scenes] == [
        row.cost_estimated for row in cast.rows_of(again)
    ]
    assert stale.cost == again.cost_estimated
    assert stale.cost is not None
    assert made.cost_estimated is not None
    assert stale.cost > made.cost_estimated


def test_a_price_that_is_not_known_is_none(cast: World) -> None:
    board(cast, makers.scene(), makers.scene(id="b", position=2, model="fal-uso"))
    change(cast)
    [stale] = cast.stale("acme", "elena", 10).items
    assert [scene.cost is None for scene in stale.scenes] == [False, True]
    assert stale.cost is None


@pytest.mark.parametrize("why", ["somebody else is gone", "too many words", "an older board"])
def test_what_cannot_be_planned_has_no_cost(cast: World, why: str) -> None:
    both = makers.scene(id="b", position=2, characters=("elena", "marcus"))
    made = board(cast, makers.scene(), both)
    change(cast)
    if why == "somebody else is gone":
        marcus = cast.characters.get("acme", "marcus")
        assert marcus is not None
        gone = dataclasses.replace(marcus, deleted_at=cast.clock())
        assert cast.characters.replace(gone, marcus)
    elif why == "too many words":
        change(cast, "marcus", description="x" * 4000)
    else:
        changes = {"model": None, "look": None}
        cast.cloud.table.update(board_key(made.id), BOARD, changes, where={})
    [stale] = cast.stale("acme", "elena", 10).items
    assert [scene.cost is None for scene in stale.scenes] == [why == "an older board", True]


def test_a_scene_that_has_no_picture_and_gets_none_is_not_stale(cast: World) -> None:
    made = board(cast, makers.scene(), makers.scene(id="b", position=2))
    first, second = cast.rows_of(made)
    cast.predictions.advance(first.id, Status.CANCELED, {"completed_at": cast.clock()})
    change(cast)
    assert shown(cast.stale("acme", "elena", 10).items) == [(made.id, [("b", 2, 1)])]
    cast.predictions.advance(second.id, Status.CANCELED, {"completed_at": cast.clock()})
    assert cast.stale("acme", "elena", 10).items == ()


def test_a_page_goes_on_where_the_last_one_ended(
    cast: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storyhook.usecases.stale._PAGE", 2)
    boards = [board(cast, makers.scene()) for _ in range(5)]
    change(cast)
    board(cast, makers.scene())
    for limit in (1, 2, 3, 5):
        seen, cursor, pages = list[str](), None, 0
        while True:
            page = cast.stale("acme", "elena", limit, cursor)
            assert len(page.items) <= limit
            seen += [item.storyboard_id for item in page.items]
            cursor, pages = page.cursor, pages + 1
            if cursor is None:
                break
        assert seen == [made.id for made in reversed(boards)]
        assert pages <= 5 // limit + 2
    monkeypatch.setattr("storyhook.usecases.stale._MAX_SCENES", 2)
    page = cast.stale("acme", "elena", 100)
    assert len(page.items) == 2
    assert page.cursor == boards[3].id


def test_a_page_ends_by_what_is_read_for_it(cast: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of long boards that show the character once, a hundred would take longer than there is."""
    monkeypatch.setattr("storyhook.usecases.stale._MAX_SCENES", 2)
    without = makers.scene(id="scene-2", position=2, characters=("marcus",))
    newest, *_ = [board(cast, makers.scene(), without) for _ in range(3)][::-1]
    change(cast)
    page = cast.stale("acme", "elena", 100)
    assert shown(page.items) == [(newest.id, [("scene-1", 1, 1)])]
    assert page.cursor == newest.id


def test_a_page_ends_when_enough_was_looked_at_that_is_up_to_date(
    cast: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A character of thousands of boards, all of them made after the last change but the first."""
    monkeypatch.setattr("storyhook.usecases.stale._PAGE", 2)
    monkeypatch.setattr("storyhook.usecases.stale._MAX_USES", 4)
    old = board(cast, makers.scene())
    change(cast)
    boards = [board(cast, makers.scene()) for _ in range(5)]
    begun = len(cast.cloud.operations("Query"))
    page = cast.stale("acme", "elena", 10)
    assert len(cast.cloud.operations("Query")) - begun == 2
    assert (page.items, page.cursor) == ((), boards[1].id)
    rest = cast.stale("acme", "elena", 10, page.cursor)
    assert (shown(rest.items), rest.cursor) == ([(old.id, [("scene-1", 1, 1)])], None)


def test_a_namesake_of_a_deleted_character_leaves_nothing_behind(cast: World) -> None:
    made = board(cast, makers.scene())
    cast.submit_all()
    [row] = cast.rows_of(made)
    cast.webhook(row, done("replicate", "job-1"))
    cast.assemble(made.id)
    cast.delete("acme", "elena")
    new = dataclasses.replace(makers.character(), version=2, first_version=2)
    gone = cast.characters.latest("acme", "elena")
    assert cast.characters.replace(new, gone)
    other = board(cast, makers.scene())
    change(cast)
    assert shown(cast.stale("acme", "elena", 10).items) == [(other.id, [("scene-1", 1, 2)])]


def test_a_board_that_was_not_accepted_is_passed_over(cast: World) -> None:
    made = board(cast, makers.scene())
    cast.cloud.table.delete(board_key(made.id))
    change(cast)
    assert cast.stale("acme", "elena", 10).items == ()


def test_a_board_costs_one_small_row_for_each_of_its_characters(cast: World) -> None:
    scenes = [makers.scene(id=f"s{n}", position=n) for n in range(1, 9)]
    made = board(cast, *scenes, makers.scene(id="s9", position=9, characters=MARCUS))
    rows = [row for row in cast.cloud.rows() if row["sk"]["S"] == f"SB#{made.id}"]
    assert [row["pk"]["S"] for row in rows] == ["CHAR#acme#elena", "CHAR#acme#marcus"]
    assert all(len(str(row)) < 400 for row in rows)


def test_another_tenants_boards_are_none_of_ours(cast: World) -> None:
    board(cast, makers.scene())
    cast.characters.replace(makers.character(tenant="other"), None)
    cast.edit.fields("other", "elena", {"outfit": "cloak"}, None)
    assert cast.stale("other", "elena", 10).items == ()
