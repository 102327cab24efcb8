"""The API's reads and creates, by route. `POST /predictions` has a function of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from storyhook.domain import model_views, plan_views, views
from storyhook.domain.errors import FieldError, InvalidRequest, NotFound
from storyhook.http.events import caller, parse, wants_dry_run
from storyhook.http.requests import CharacterBody, StoryboardBody

if TYPE_CHECKING:
    from storyhook.domain.access import Page
    from storyhook.domain.catalogue import Catalogue
    from storyhook.domain.storyboard import SceneState, Storyboard
    from storyhook.ports import Characters, Images, Predictions, Storyboards
    from storyhook.usecases.assemble import ReadStoryboard
    from storyhook.usecases.boards import CreateStoryboard
    from storyhook.usecases.characters import ReadCharacter, SaveCharacter

Event = dict[str, Any]
Json = dict[str, Any]

_DEFAULT_LIMIT = 20
_MAX_LIMIT = 100
# Lambda answers at most 6 MB.
_MAX_ANSWER_BYTES = 5_500_000
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reply:
    status: HTTPStatus
    body: Json

    @property
    def headers(self) -> dict[str, str]:
        """Creates say where the thing is."""
        created = self.status in (HTTPStatus.CREATED, HTTPStatus.ACCEPTED)
        return {"Location": self.body["urls"]["self"]} if created else {}


Handler = Callable[..., Reply]


@dataclass(frozen=True)
class Api:
    characters: Characters
    storyboards: Storyboards
    predictions: Predictions
    images: Images
    catalogue: Catalogue
    save_character: SaveCharacter
    read_character: ReadCharacter
    read_storyboard: ReadStoryboard
    create_storyboard: CreateStoryboard

    def routes(self) -> dict[tuple[str, str], Handler]:
        """Method and path of each route; `<name>` in a path is a keyword of its handler."""
        return {
            ("POST", "/characters"): self.post_character,
            ("GET", "/characters"): self.list_characters,
            ("GET", "/characters/<character_id>"): self.get_character,
            ("POST", "/storyboards"): self.post_storyboard,
            ("GET", "/storyboards"): self.list_storyboards,
            ("GET", "/storyboards/<storyboard_id>"): self.get_storyboard,
            ("GET", "/predictions"): self.list_predictions,
            ("GET", "/predictions/<prediction_id>"): self.get_prediction,
            ("GET", "/models"): self.list_models,
        }

    def post_character(self, event: Event) -> Reply:
        body = parse(CharacterBody, event)
        row = self.save_character(caller(event).tenant, body.to_request())
        created = row.version == 1
        shown = views.character(row, self.images.sign)
        return Reply(HTTPStatus.CREATED if created else HTTPStatus.OK, shown)

    def get_character(self, event: Event, character_id: str) -> Reply:
        row = self.read_character(caller(event).tenant, _known("character", character_id))
        return Reply(HTTPStatus.OK, views.character(row, self.images.sign))

    def list_characters(self, event: Event) -> Reply:
        page = self.characters.list(caller(event).tenant, *_paging(event))
        return _listing(page, [views.character(row, self.images.sign) for row in page.items])

    def post_storyboard(self, event: Event) -> Reply:
        request = parse(StoryboardBody, event, query=("dry_run",)).to_request()
        if wants_dry_run(event):
            planned = self.create_storyboard.plan(caller(event), request)
            others = [fallbacks.plans for fallbacks in planned.fallbacks]
            shown = plan_views.board_plan(
                request, planned.seed, planned.plans, others, planned.warnings
            )
            return Reply(HTTPStatus.OK, plan_views.fitting(shown, _MAX_ANSWER_BYTES))
        board, states = self.create_storyboard(caller(event), request)
        return Reply(HTTPStatus.ACCEPTED, self._board(board, states))

    def get_storyboard(self, event: Event, storyboard_id: str) -> Reply:
        board, states = self.read_storyboard(
            caller(event).tenant, _known("storyboard", storyboard_id)
        )
        return Reply(HTTPStatus.OK, self._board(board, states))

    def _board(self, board: Storyboard, states: Sequence[SceneState]) -> Json:
        return views.fitting(views.storyboard(board, states, self.images.sign), _MAX_ANSWER_BYTES)

    def list_storyboards(self, event: Event) -> Reply:
        page = self.storyboards.list(caller(event).tenant, *_paging(event))
        return _listing(page, [views.storyboard_summary(row) for row in page.items])

    def get_prediction(self, event: Event, prediction_id: str) -> Reply:
        row = self.predictions.get(_known("prediction", prediction_id))
        if row is None or row.tenant != caller(event).tenant:
            raise NotFound(f"There is no prediction {prediction_id!r}.")
        return Reply(HTTPStatus.OK, views.prediction(row, self.images.sign))

    def list_predictions(self, event: Event) -> Reply:
        page = self.predictions.list(caller(event).tenant, *_paging(event))
        return _listing(page, [views.prediction(row, self.images.sign) for row in page.items])

    def list_models(self, event: Event) -> Reply:
        query = event.get("queryStringParameters") or {}
        sort = query.get("sort")
        wrong = sorted(set(query) - {"sort"})
        if sort is not None and sort not in model_views.SORTS:
            wrong.append("sort")
        if wrong:
            detail = f"GET /models takes sort, one of {', '.join(model_views.SORTS)}."
            raise InvalidRequest(detail, tuple(FieldError(name, detail) for name in wrong))
        items = model_views.models(self.catalogue.models.values(), sort)
        return Reply(HTTPStatus.OK, {"items": items, "next_cursor": None})


def _paging(event: Event) -> tuple[int, str | None]:
    query = event.get("queryStringParameters") or {}
    limit = query.get("limit", str(_DEFAULT_LIMIT))
    if not (re.fullmatch("[0-9]{1,3}", limit) and 1 <= int(limit) <= _MAX_LIMIT):
        raise InvalidRequest(
            f"limit is a whole number from 1 to {_MAX_LIMIT}.",
            (FieldError("limit", f"from 1 to {_MAX_LIMIT}"),),
        )
    cursor = query.get("cursor")
    if cursor is not None and not _ID.fullmatch(cursor):
        raise InvalidRequest(
            "cursor is the next_cursor of the page before.", (FieldError("cursor", "not valid"),)
        )
    return int(limit), cursor


def _known(kind: str, text: str) -> str:
    """An id from a path, if it can be one at all."""
    if not _ID.fullmatch(text):
        raise NotFound(f"There is no {kind} {text[:80]!r}.")
    return text


def _listing(page: Page[Any], items: list[Json]) -> Reply:
    """A page, or as much of its beginning as can be answered; the next one goes on from there."""
    cursor = page.cursor
    while len(items) > 1 and len(json.dumps(items)) > _MAX_ANSWER_BYTES:
        items = items[: len(items) // 2]
        cursor = items[-1]["id"]
    return Reply(HTTPStatus.OK, {"items": items, "next_cursor": cursor})
