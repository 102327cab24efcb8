"""Checks a model's input against its schema; each provider words the problems itself."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from local.simulators.catalogue import Field, Model

type Path = tuple[str | int, ...]

JSON_NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array"}
PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "size": (str, dict),
}
MIN_SIDE, MAX_SIDE = 64, 14142  # fal's ImageSize bounds its sides; ours are generous
URI_SCHEMES = ("http", "https", "data")


@dataclass(frozen=True)
class Problem:
    """One refusal, in neutral words: `kind` is fal's error type where it has one."""

    path: Path
    kind: str
    value: Any = None
    limits: dict[str, Any] = field(default_factory=dict)


def check_input(model: Model, given: dict[str, Any], *, refuse_unknown: bool) -> list[Problem]:
    """Everything that is wrong with `given`, in the schema's order."""
    return _check_object((), model.input, given, refuse_unknown=refuse_unknown)


def json_type(value: Any) -> str:
    if value is None:
        return "null"
    return JSON_NAMES.get(type(value), "object")


def _is(value: Any, type_name: str) -> bool:
    # bool is an int in Python, but not in anybody's JSON schema.
    if isinstance(value, bool) and type_name != "boolean":
        return False
    return isinstance(value, PYTHON_TYPES[type_name])


def _check_object(
    path: Path, fields: dict[str, Field], given: dict[str, Any], *, refuse_unknown: bool
) -> list[Problem]:
    problems: list[Problem] = []
    for name, rules in fields.items():
        if given.get(name) is not None:
            at = (*path, name)
            problems += _check_value(at, rules, given[name], refuse_unknown=refuse_unknown)
        elif rules.required:
            problems.append(Problem((*path, name), "value_error.missing"))
    if refuse_unknown:
        unknown = [name for name in given if name not in fields]
        problems += [Problem((*path, name), "value_error.extra", given[name]) for name in unknown]
    return problems


def _check_value(path: Path, rules: Field, value: Any, *, refuse_unknown: bool) -> list[Problem]:
    if not _is(value, rules.type):
        return [Problem(path, f"type_error.{rules.type}", value, {"expected": rules.type})]
    if isinstance(value, dict):
        if rules.type == "size":
            return _check_size(path, rules, value)
        return _check_object(path, rules.fields or {}, value, refuse_unknown=refuse_unknown)
    if rules.enum is not None and value not in rules.enum:
        return [Problem(path, "one_of", value, {"expected": rules.enum})]
    if isinstance(value, list):
        return _check_list(path, rules, value, refuse_unknown=refuse_unknown)
    if isinstance(value, str):
        return _check_text(path, rules, value)
    return _check_number(path, rules, value)


def _check_text(path: Path, rules: Field, value: str) -> list[Problem]:
    if rules.min_length is not None and len(value) < rules.min_length:
        return [Problem(path, "sequence_too_short", value, {"min_length": rules.min_length})]
    if rules.format == "uri" and not _is_uri(value):
        return [Problem(path, "format", value, {"format": "uri"})]
    return []


def _is_uri(value: str) -> bool:
    try:
        return urlsplit(value).scheme in URI_SCHEMES
    except ValueError:
        return False


def _check_number(path: Path, rules: Field, value: float) -> list[Problem]:
    if rules.minimum is not None and value < rules.minimum:
        return [Problem(path, "greater_than_equal", value, {"ge": rules.minimum})]
    if rules.maximum is not None and value > rules.maximum:
        return [Problem(path, "less_than_equal", value, {"le": rules.maximum})]
    if rules.multiple_of is not None and value % rules.multiple_of:
        return [Problem(path, "multiple_of", value, {"multiple_of": rules.multiple_of})]
    return []


def _check_list(
    path: Path, rules: Field, value: list[Any], *, refuse_unknown: bool
) -> list[Problem]:
    if rules.min_items is not None and len(value) < rules.min_items:
        return [Problem(path, "sequence_too_short", value, {"min_length": rules.min_items})]
    if rules.max_items is not None and len(value) > rules.max_items:
        return [Problem(path, "sequence_too_long", value, {"max_length": rules.max_items})]
    if rules.items is None:
        return []
    problems: list[Problem] = []
    for index, item in enumerate(value):
        problems += _check_value((*path, index), rules.items, item, refuse_unknown=refuse_unknown)
    return problems


def _check_size(path: Path, rules: Field, value: dict[str, Any]) -> list[Problem]:
    least, most = rules.minimum or MIN_SIDE, rules.maximum or MAX_SIDE
    side = Field(type="integer", required=True, minimum=least, maximum=most)
    sides = {"width": side, "height": side}
    return _check_object(path, sides, value, refuse_unknown=False)
