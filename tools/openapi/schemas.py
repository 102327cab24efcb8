"""JSON Schema of all that is sent and answered."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import TypeAdapter

from storyhook.domain.callback import EVENTS
from tools.openapi.answers.base import GatewayMessage, Problem
from tools.openapi.answers.boards import SceneOfBoard, StoryboardOfItself
from tools.openapi.answers.pictures import Prediction
from tools.openapi.fields import TEXTS
from tools.openapi.operation import Operation

Json = dict[str, Any]
_Mode = Literal["validation", "serialization"]
EVENT_DATA = dict(zip(EVENTS, (Prediction, SceneOfBoard, StoryboardOfItself), strict=True))


class Schemas:
    """Each by its name once."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        shapes = {a.shape for o in operations for a in o.answers.values() if a.shape}
        shapes |= {Problem, GatewayMessage, *EVENT_DATA.values()}
        bodies = {o.body for o in operations if o.body}
        wanted: list[tuple[Any, _Mode, TypeAdapter[Any]]] = [
            *((shape, "serialization", TypeAdapter(shape)) for shape in sorted(shapes, key=repr)),
            *((body, "validation", TypeAdapter(body)) for body in sorted(bodies, key=repr)),
        ]
        self._places, found = TypeAdapter.json_schemas(
            wanted, ref_template="#/components/schemas/{model}"
        )
        self.all = {name: _without_titles(s) for name, s in sorted(found["$defs"].items())}
        for kind, texts in TEXTS.items():
            for name, text in texts.items():
                self.all[kind.__name__]["properties"][name]["description"] = text
        for changes in (o.body for o in operations if o.body and o.method == "PATCH"):
            for each in self.all[changes.__name__]["properties"].values():
                each.pop("default", None)  # What is not named stays as it is.

    def of(self, shape: Any) -> Json:
        mode: _Mode = "serialization" if (shape, "serialization") in self._places else "validation"
        return dict(self._places[shape, mode])


def _without_titles(schema: Any) -> Any:
    """pydantic gives each field its own name as a title, which says nothing."""
    if isinstance(schema, list):
        return [_without_titles(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _without_titles(each)
        for name, each in schema.items()
        if not (name == "title" and isinstance(each, str))
    }
