"""Which scenes show an older version of a character, and what making them anew would cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storyhook.domain.access import Page
from storyhook.domain.errors import StoryhookError
from storyhook.domain.library import StaleBoard, StaleScene, is_stale
from storyhook.domain.plan import plan_scene
from storyhook.domain.renewing import asked_of, look_of
from storyhook.usecases.characters import current

if TYPE_CHECKING:
    from decimal import Decimal

    from storyhook.domain.catalogue import Catalogue
    from storyhook.domain.story import Character
    from storyhook.domain.storyboard import BoardScene, SceneState, Storyboard, Use
    from storyhook.ports import Storyboards
    from storyhook.ports.library import Characters
    from storyhook.usecases.assemble import ReadStoryboard

_PAGE = 100
# A page ends with the board that brings it there: all its scenes are read, to find those that show
# the character, and each of these is planned anew to know its price.
_MAX_SCENES = 500
# A page ends, perhaps empty, when so many boards were looked at: most may be up to date.
_MAX_USES = 500


@dataclass(frozen=True)
class Stale:
    characters: Characters
    storyboards: Storyboards
    read: ReadStoryboard
    catalogue: Catalogue

    def __call__(
        self, tenant: str, character_id: str, limit: int, cursor: str | None = None
    ) -> Page[StaleBoard]:
        """The newest boards first; `cursor` is the last board's id. Raises NotFound.

        A page may be short, or empty, and have a cursor.
        """
        character = current(self.characters, tenant, character_id)
        items: list[StaleBoard] = []
        scenes = 0
        for _ in range(_MAX_USES // _PAGE):
            page = self.characters.uses(tenant, character_id, _PAGE, cursor)
            older = [use for use in page.items if is_stale(use, character)]
            boards = self.storyboards.get_many([use.storyboard_id for use in older])
            for use in older:
                board = boards.get(use.storyboard_id)
                if board:
                    scenes += board.scene_count
                    stale = self._stale(board, use)
                    items += [stale] if stale else []
                if len(items) == limit or scenes >= _MAX_SCENES:
                    more = page.cursor is not None or use is not older[-1]
                    return Page(tuple(items), use.storyboard_id if more else None)
            cursor = page.cursor
            if cursor is None:
                break
        return Page(tuple(items), cursor)

    def _stale(self, board: Storyboard, use: Use) -> StaleBoard | None:
        """Its scenes with the character that have a picture, or may still get one."""
        states = [
            state
            for state in self.read.states(board.id)
            if use.character_id in state.scene.characters and (state.chosen or not state.over)
        ]
        if not states:
            return None
        cast = self.characters.get_many(board.tenant, list(board.character_versions or ()))
        scenes = tuple(self._scene(board, state, use, cast) for state in states)
        return StaleBoard(board.id, board.title, scenes)

    def _scene(
        self, board: Storyboard, state: SceneState, use: Use, cast: dict[str, Character]
    ) -> StaleScene:
        scene = state.scene
        return StaleScene(scene.id, scene.position, use.version, self._cost(board, scene, cast))

    def _cost(
        self, board: Storyboard, scene: BoardScene, cast: dict[str, Character]
    ) -> Decimal | None:
        """The price of its plan with everyone's newest version; None where there is none."""
        asked, look = asked_of(scene), look_of(board)
        on_stage = [cast[name] for name in scene.characters if name in cast]
        model = asked.model or board.model
        if model is None or look is None or len(on_stage) < len(scene.characters):
            return None
        try:
            planned = plan_scene(self.catalogue, model, asked, on_stage, look, seed=None)
        except StoryhookError:  # The model is gone, or cannot be shown what the character is now.
            return None
        return planned.price.total
