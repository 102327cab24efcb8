"""The routes of one scene of a board: which picture it has, and whether that stays."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from storyhook.domain import views
from storyhook.http.events import caller, parse
from storyhook.http.reading import Reply, known
from storyhook.http.requests import NothingBody, SelectionBody

if TYPE_CHECKING:
    from storyhook.domain.storyboard import SceneState
    from storyhook.http.reading import Handler
    from storyhook.ports import Images
    from storyhook.usecases.choose import SelectCandidate

Event = dict[str, Any]
_SCENE = "/storyboards/<storyboard_id>/scenes/<scene_id>"


@dataclass(frozen=True)
class SceneRoutes:
    select: SelectCandidate
    images: Images

    def routes(self) -> dict[tuple[str, str], Handler]:
        return {
            ("POST", f"{_SCENE}/select"): self.select_candidate,
            ("POST", f"{_SCENE}/lock"): self.lock_scene,
            ("POST", f"{_SCENE}/unlock"): self.unlock_scene,
        }

    def select_candidate(self, event: Event, storyboard_id: str, scene_id: str) -> Reply:
        wanted = parse(SelectionBody, event).prediction
        board_id = known("storyboard", storyboard_id)
        tenant = caller(event).tenant
        return self._shown(board_id, self.select.select(tenant, board_id, scene_id, wanted))

    def lock_scene(self, event: Event, storyboard_id: str, scene_id: str) -> Reply:
        return self._lock(event, storyboard_id, scene_id, locked=True)

    def unlock_scene(self, event: Event, storyboard_id: str, scene_id: str) -> Reply:
        return self._lock(event, storyboard_id, scene_id, locked=False)

    def _lock(self, event: Event, storyboard_id: str, scene_id: str, *, locked: bool) -> Reply:
        parse(NothingBody, event, optional=True)
        board_id, tenant = known("storyboard", storyboard_id), caller(event).tenant
        state = self.select.lock(tenant, board_id, scene_id, locked=locked)
        return self._shown(board_id, state)

    def _shown(self, board_id: str, state: SceneState) -> Reply:
        return Reply(HTTPStatus.OK, views.scene_of(board_id, state, self.images.sign))
