"""The API's reads and creates, by route. `POST /predictions` has a function of its own."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from storyhook.domain import model_views, plan_views, views
from storyhook.domain.errors import FieldError, InvalidRequest
from storyhook.http.events import caller, parse, wants_dry_run
from storyhook.http.idempotency import asked_once
from storyhook.http.raw import query_of
from storyhook.http.reading import MAX_ANSWER_BYTES, Reply, listed, paging
from storyhook.http.requests import StoryboardBody
from storyhook.http.watching import board_shown

if TYPE_CHECKING:
    from storyhook.domain.catalogue import Catalogue
    from storyhook.domain.idempotency import Origin
    from storyhook.domain.storyboard import SceneState, Storyboard
    from storyhook.http.callbacks import CallbackRoutes
    from storyhook.http.characters import CharacterRoutes
    from storyhook.http.etags import Reads
    from storyhook.http.exports import ExportRoutes
    from storyhook.http.keys import KeyRoutes
    from storyhook.http.reading import Handler
    from storyhook.http.scenes import SceneRoutes
    from storyhook.http.shares import ShareRoutes
    from storyhook.http.watching import WatchRoutes
    from storyhook.ports import Images, Predictions, Storyboards
    from storyhook.usecases.assemble import ReadStoryboard
    from storyhook.usecases.boards import CreateStoryboard
    from storyhook.usecases.once import Once

Event = dict[str, Any]


@dataclass(frozen=True)
class Api:
    storyboards: Storyboards
    predictions: Predictions
    images: Images
    catalogue: Catalogue
    read_storyboard: ReadStoryboard
    create_storyboard: CreateStoryboard
    characters: CharacterRoutes
    callbacks: CallbackRoutes
    once: Once
    reads: Reads
    watch: WatchRoutes
    scenes: SceneRoutes
    shares: ShareRoutes
    keys: KeyRoutes
    exports: ExportRoutes

    def routes(self) -> dict[tuple[str, str], Handler]:
        """Method and path of each route; `<name>` in a path is a keyword of its handler."""
        return {
            ("POST", "/storyboards"): self.post_storyboard,
            ("GET", "/storyboards"): self.list_storyboards,
            ("GET", "/predictions"): self.list_predictions,
            ("GET", "/models"): self.list_models,
            **self.characters.routes(),
            **self.watch.routes(),
            **self.scenes.routes(),
            **self.shares.routes(),
            **self.callbacks.routes(),
            **self.keys.routes(),
            **self.exports.routes(),
        }

    def post_storyboard(self, event: Event) -> Reply:
        body = parse(StoryboardBody, event, query=("dry_run",), once=True)
        request, asked = body.to_request(), asked_once(event)
        if wants_dry_run(event):
            planned = self.create_storyboard.plan(caller(event), request)
            others = [fallbacks.plans for fallbacks in planned.fallbacks]
            shown = plan_views.board_plan(
                request, planned.seed, planned.plans, others, planned.warnings
            )
            return Reply(HTTPStatus.OK, plan_views.fitting(shown, MAX_ANSWER_BYTES))
        made = self.once(
            caller(event),
            asked,
            self._made_board,
            lambda origin: self.create_storyboard(caller(event), request, origin),
        )
        shown = board_shown(*made.thing, self.images.sign)
        return Reply(HTTPStatus.ACCEPTED, shown, made.replayed)

    def _made_board(self, origin: Origin) -> tuple[Storyboard, list[SceneState]] | None:
        board = self.create_storyboard.made(origin)
        return (board, self.read_storyboard.states(board.id)) if board else None

    def list_storyboards(self, event: Event) -> Reply:
        page = self.storyboards.list(caller(event).tenant, *paging(event))
        items = [views.storyboard_summary(row) for row in page.items]
        return Reply(HTTPStatus.OK, listed(event, page, items))

    def list_predictions(self, event: Event) -> Reply:
        page = self.predictions.list(caller(event).tenant, *paging(event))
        return self.reads(
            event,
            lambda sign: listed(event, page, [views.prediction(row, sign) for row in page.items]),
        )

    def list_models(self, event: Event) -> Reply:
        query = query_of(event)
        sort = query.get("sort")
        wrong = sorted(set(query) - {"sort"})
        if sort is not None and sort not in model_views.SORTS:
            wrong.append("sort")
        if wrong:
            detail = f"GET /models takes sort, one of {', '.join(model_views.SORTS)}."
            raise InvalidRequest(detail, tuple(FieldError(name, detail) for name in wrong))
        items = model_views.models(self.catalogue.models.values(), sort)
        return Reply(HTTPStatus.OK, {"items": items, "next_cursor": None})
