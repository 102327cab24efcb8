"""Text files of the caller's, and the line of whatever is wrong in them."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from storyhook_client.errors import BadFile

# Characters and parts, far beyond what the API takes.
_MAX_WRITTEN_OUT = 4_000_000
_PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_PLAIN_SCALARS = {
    # YAML 1.2's own. In 1.1 the ratio 16:9 is the number 969, and `no` is false.
    "tag:yaml.org,2002:null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "tag:yaml.org,2002:bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "tag:yaml.org,2002:int": (r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    "tag:yaml.org,2002:float": (
        r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?",
        list("-+.0123456789"),
    ),
}


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """YAML itself would take the last of two equal keys."""
        seen = set()
        for key, _ in node.value:
            name = self.construct_object(key)
            if not isinstance(name, Hashable):
                raise yaml.MarkedYAMLError(problem="not a name", problem_mark=key.start_mark)
            if name in seen:
                raise yaml.MarkedYAMLError(problem=f"{name!r} twice", problem_mark=key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


for _tag, (_form, _first) in _PLAIN_SCALARS.items():
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_form})$"), _first)


@dataclass(frozen=True)
class Located:
    """A document of JSON or YAML with its text."""

    path: Path
    text: str
    document: Any

    def line_of(self, place: str) -> int | None:
        """The line of `scenes[2].characters[0]`, or of the innermost part that is there."""
        try:
            # Valid JSON is YAML, but for tabs between its parts.
            node = yaml.compose(self.text.replace("\t", " "), _Loader)
        except yaml.YAMLError:
            return None
        line = None
        for index, name in _PART.findall(place):
            found = _item(node, int(index)) if index else _field(node, name)
            if found is None:
                break
            line, node = found
        return line

    def wrong(self, place: str, message: str) -> BadFile:
        return BadFile(self.path, f"{place}: {message}" if place else message, self.line_of(place))


def read_text(path: Path) -> str:
    """UTF-8, with or without a byte order mark; raises BadFile."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadFile(path, error.strerror or str(error)) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadFile(path, "not a text file in UTF-8", line) from error


def read_json(path: Path) -> Located:
    """Raises BadFile with the line."""
    text = read_text(path)
    try:
        return Located(path, text, json.loads(text))
    except json.JSONDecodeError as error:
        raise BadFile(
            path, f"not JSON: {error.msg} (column {error.colno})", error.lineno
        ) from error
    except (ValueError, RecursionError) as error:
        raise BadFile(path, "not JSON that can be read") from error


def read_yaml(path: Path) -> Located:
    """Raises BadFile with the line."""
    text = read_text(path)
    try:
        document = yaml.load(text, _Loader)  # noqa: S506 - a safe one
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = error.problem or error.context or "cannot be read"
        raise BadFile(path, f"not YAML: {what}", mark.line + 1 if mark else None) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BadFile(path, f"not YAML: {error.reason}", line) from error
    # What a scalar with a tag such as !!int cannot be read as.
    except (RecursionError, ValueError, KeyError, AttributeError) as error:
        raise BadFile(path, "not YAML that can be read") from error
    _check_written_out(path, document)
    return Located(path, text, document)


def _check_written_out(path: Path, document: Any) -> None:
    """A few lines of aliases (*name) can stand for more than a memory holds, or for themselves."""
    size, parts = 0, [document]
    while parts:
        part = parts.pop()
        size += 1 + len(part) if isinstance(part, str) else 1
        if size > _MAX_WRITTEN_OUT:
            raise BadFile(path, "its aliases stand for too much; write out what is needed")
        if isinstance(part, dict):
            parts += [*part, *part.values()]
        elif isinstance(part, list):
            parts += part
        elif not isinstance(part, str | int | float | None):
            raise BadFile(path, f"has a {type(part).__name__}, which JSON has not")


def read(path: Path) -> Located:
    """JSON or YAML, by the file's name; raises BadFile."""
    if path.suffix.lower() in (".yaml", ".yml"):
        return read_yaml(path)
    return read_json(path)


Found = tuple[int, yaml.Node]


def _item(node: yaml.Node | None, index: int) -> Found | None:
    if not isinstance(node, yaml.SequenceNode) or index >= len(node.value):
        return None
    item: yaml.Node = node.value[index]
    return item.start_mark.line + 1, item


def _field(node: yaml.Node | None, name: str) -> Found | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == name:
                return key.start_mark.line + 1, value
    return None
