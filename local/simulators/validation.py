"""Checks a model's input against its schema; each provider words the problems itself."""

from dataclasses import dataclass, field
from typing import Any

from local.simulators.catalogue import Field, Model

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


@dataclass(frozen=True)
class Problem:
    """One refusal, in neutral words: `kind` is fal's error type where it has one."""

    path: tuple[str | int, ...]
    kind: str
    value: Any = None
    limits: dict[str, Any] = field(default_factory=dict)


def check_input(model: Model, given: dict[str, Any], *, refuse_unknown: bool) -> list[Problem]:
    """Everything that is wrong with `given`, in the schema's order."""
    problems: list[Problem] = []
    for name, rules in model.input.items():
        if given.get(name) is None:
            if rules.required:
                problems.append(Problem((name,), "value_error.missing"))
            continue
        problems += _check_value((name,), rules, given[name])
    if refuse_unknown:
        unknown = [name for name in given if name not in model.input]
        problems += [Problem((name,), "value_error.extra", given[name]) for name in unknown]
    return problems


def json_type(value: Any) -> str:
    if value is None:
        return "null"
    return JSON_NAMES.get(type(value), "object")


def _is(value: Any, type_name: str) -> bool:
    # bool is an int in Python, but not in anybody's JSON schema.
    if isinstance(value, bool) and type_name != "boolean":
        return False
    return isinstance(value, PYTHON_TYPES[type_name])


def _check_value(path: tuple[str | int, ...], rules: Field, value: Any) -> list[Problem]:
    if not _is(value, rules.type):
        return [Problem(path, f"type_error.{rules.type}", value, {"expected": rules.type})]
    if isinstance(value, dict):
        return _check_size(path, value) if rules.type == "size" else []
    if rules.enum is not None and value not in rules.enum:
        return [Problem(path, "one_of", value, {"expected": rules.enum})]
    if isinstance(value, list):
        return _check_list(path, rules, value)
    if isinstance(value, str):
        if rules.min_length is not None and len(value) < rules.min_length:
            return [Problem(path, "sequence_too_short", value, {"min_length": rules.min_length})]
        return []
    return _check_number(path, rules, value)


def _check_number(path: tuple[str | int, ...], rules: Field, value: float) -> list[Problem]:
    if rules.minimum is not None and value < rules.minimum:
        return [Problem(path, "greater_than_equal", value, {"ge": rules.minimum})]
    if rules.maximum is not None and value > rules.maximum:
        return [Problem(path, "less_than_equal", value, {"le": rules.maximum})]
    if rules.multiple_of is not None and value % rules.multiple_of:
        return [Problem(path, "multiple_of", value, {"multiple_of": rules.multiple_of})]
    return []


def _check_list(path: tuple[str | int, ...], rules: Field, value: list[Any]) -> list[Problem]:
    if rules.min_items is not None and len(value) < rules.min_items:
        return [Problem(path, "sequence_too_short", value, {"min_length": rules.min_items})]
    if rules.max_items is not None and len(value) > rules.max_items:
        return [Problem(path, "sequence_too_long", value, {"max_length": rules.max_items})]
    return [
        Problem((*path, index), f"type_error.{rules.items}", item, {"expected": rules.items})
        for index, item in enumerate(value)
        if not _is(item, rules.items)
    ]


def _check_size(path: tuple[str | int, ...], value: dict[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    for side in ("width", "height"):
        length = value.get(side)
        if length is None:
            problems.append(Problem((*path, side), "value_error.missing"))
        elif not _is(length, "integer"):
            problems.append(
                Problem((*path, side), "type_error.integer", length, {"expected": "integer"})
            )
        elif length < MIN_SIDE:
            problems.append(Problem((*path, side), "greater_than_equal", length, {"ge": MIN_SIDE}))
        elif length > MAX_SIDE:
            problems.append(Problem((*path, side), "less_than_equal", length, {"le": MAX_SIDE}))
    return problems
