"""The document as the fuzzer reads it: closed, and with names of what is there.

A random model or character is refused before anything is made, so what is meant to be valid names
real ones here. What is meant to be invalid still names anything.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.fixtures import events
from tests.fixtures.contract import closed, written
from tools.openapi.chapters import FROM_BEHIND

Json = dict[str, Any]
_EXAMPLES = re.compile(r"https://(images|app)\.example\.com/")
_MODELS = ["flux-2-pro", "rep-flux2-pro", "fal-flux2-pro", "rep-flux-schnell", "no-such-model"]
_FIELDS: Mapping[str, Mapping[str, list[Any]]] = {
    "ReferenceBody": {"url": [events.REFERENCE, FROM_BEHIND]},
    "PredictionBody": {
        "model": _MODELS,
        "characters": [[], ["elena"]],
        "aspect_ratio": ["16:9", "1:1"],
        "options": [{}, {"output_format": "png"}],
        "callback_url": [events.CALLBACK_URL],
    },
    "SceneBody": {
        "model": _MODELS,
        "characters": [[], ["elena"]],
        "options": [{}],
        "overrides": [{}],
        "fallback_models": [["rep-flux2-pro"]],
    },
    "StoryboardBody": {
        "model": _MODELS,
        "characters": [[]],
        "aspect_ratio": ["16:9", "1:1"],
        "options": [{}],
        "fallback_models": [[], ["rep-flux2-pro"]],
        "callback_url": [events.CALLBACK_URL],
    },
    "SheetBody": {
        "model": _MODELS,
        "angles": [["back"]],
        "max_cost": ["1.00"],
        "callback_url": [events.CALLBACK_URL],
    },
}
# Those of which any other value is as good, now and then.
_NAMES: Mapping[str, Mapping[str, list[Any]]] = {"CharacterBody": {"id": ["elena", "marcus"]}}
_PARAMETERS: Mapping[str, list[Any]] = {
    "If-None-Match": ["*"],
    "character_id": ["elena"],
    "dry_run": [False],
}


def for_fuzzing(outside: str = "") -> Json:
    """`outside`: where the pictures and the receiver of the document's examples really are."""
    document = closed(written().document)
    for methods in document["paths"].values():
        for method, operation in methods.items():
            # What is deleted is what the fuzzer has made: the rest is needed.
            if method != "delete":
                operation["parameters"] = [
                    _with_real(each) for each in operation.get("parameters", ())
                ]
    schemas = document["components"]["schemas"]
    for body, fields in _FIELDS.items():
        properties = schemas[body]["properties"]
        for name, real in fields.items():
            properties[name] = {"enum": real}
    for body, fields in _NAMES.items():
        properties = schemas[body]["properties"]
        for name, real in fields.items():
            properties[name] = _often(real, properties[name])
    text = json.dumps(document)
    found: Json = json.loads(_EXAMPLES.sub(outside, text) if outside else text)
    return found


def _with_real(parameter: Json) -> Json:
    real = [parameter["example"]] if "example" in parameter else []
    real = _PARAMETERS.get(parameter["name"], real)
    return {**parameter, "schema": _often(real, parameter["schema"])} if real else parameter


def _often(real: list[Any], schema: Json) -> Json:
    return {"anyOf": [{"enum": real}, schema]}
