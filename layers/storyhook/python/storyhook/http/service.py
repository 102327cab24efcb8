"""The API's reads and creates, by route. `POST /predictions` has a function of its own."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from storyhook.domain import model_views, plan_views, views
from storyhook.domain.access import owned
from storyhook.domain.errors import FieldError, InvalidRequest
from storyhook.http.events import caller, parse, wants_dry_run
from storyhook.http.reading import MAX_ANSWER_BYTES, Reply, known, listing, paging, refuse_unknown
from storyhook.http.requests import CharacterBody, StoryboardBody

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storyhook.domain.catalogue import Catalogue
    from storyhook.domain.storyboard import SceneState, Storyboard
    from storyhook.http.callbacks import CallbackRoutes
    from storyhook.http.keys import KeyRoutes
    from storyhook.http.reading import Handler
    from storyhook.ports import Characters, Images, Predictions, Storyboards
    from storyhook.usecases.assemble import ReadStoryboard
    from storyhook.usecases.boards import CreateStoryboard
    from storyhook.usecases.characters import ReadCharacter, SaveCharacter

Event = dict[str, Any]
Json = dict[str, Any]


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
    callbacks: CallbackRoutes
    keys: KeyRoutes

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
            **self.callbacks.routes(),
            **self.keys.routes(),
        }

    def post_character(self, event: Event) -> Reply:
        body = parse(CharacterBody, event)
        row = self.save_character(caller(event).tenant, body.to_request())
        created = row.version == 1
        shown = views.character(row, self.images.sign)
        return Reply(HTTPStatus.CREATED if created else HTTPStatus.OK, shown)

    def get_character(self, event: Event, character_id: str) -> Reply:
        refuse_unknown(event)
        row = self.read_character(caller(event).tenant, known("character", character_id))
        return Reply(HTTPStatus.OK, views.character(row, self.images.sign))

    def list_characters(self, event: Event) -> Reply:
        page = self.characters.list(caller(event).tenant, *paging(event))
        return listing(page, [views.character(row, self.images.sign) for row in page.items])

    def post_storyboard(self, event: Event) -> Reply:
        request = parse(StoryboardBody, event, query=("dry_run",)).to_request()
        if wants_dry_run(event):
            planned = self.create_storyboard.plan(caller(event), request)
            others = [fallbacks.plans for fallbacks in planned.fallbacks]
            shown = plan_views.board_plan(
                request, planned.seed, planned.plans, others, planned.warnings
            )
            return Reply(HTTPStatus.OK, plan_views.fitting(shown, MAX_ANSWER_BYTES))
        board, states = self.create_storyboard(caller(event), request)
        return Reply(HTTPStatus.ACCEPTED, self._board(board, states))

    def get_storyboard(self, event: Event, storyboard_id: str) -> Reply:
        refuse_unknown(event)
        board, states = self.read_storyboard(
            caller(event).tenant, known("storyboard", storyboard_id)
        )
        return Reply(HTTPStatus.OK, self._board(board, states))

    def _board(self, board: Storyboard, states: Sequence[SceneState]) -> Json:
        return views.fitting(views.storyboard(board, states, self.images.sign), MAX_ANSWER_BYTES)

    def list_storyboards(self, event: Event) -> Reply:
        page = self.storyboards.list(caller(event).tenant, *paging(event))
        return listing(page, [views.storyboard_summary(row) for row in page.items])

    def get_prediction(self, event: Event, prediction_id: str) -> Reply:
        refuse_unknown(event)
        found = self.predictions.get(known("prediction", prediction_id))
        row = owned(found, caller(event).tenant, f"prediction {prediction_id!r}")
        return Reply(HTTPStatus.OK, views.prediction(row, self.images.sign))

    def list_predictions(self, event: Event) -> Reply:
        page = self.predictions.list(caller(event).tenant, *paging(event))
        return listing(page, [views.prediction(row, self.images.sign) for row in page.items])

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
