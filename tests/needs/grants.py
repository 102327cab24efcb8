"""What template.yaml allows each function: one grant per action, resource and pattern of keys."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.fixtures import template

# How a statement is narrowed to rows of the table, or to a folder of the bucket that is listed.
_NARROWED = ("dynamodb:LeadingKeys", "s3:prefix")
# How a resource is written in the template, and its short name here.
_SHORT = (
    (re.compile(r"\$\{(\w+)\.Arn\}"), r"\1"),
    (re.compile(r"^arn:.*:parameter/storyhook/\$\{Stage\}/"), "Parameter/"),
    (re.compile(r"^arn:.*:stateMachine:storyhook-\$\{Stage\}-storyboard$"), "StateMachine"),
    (re.compile(r"^arn:.*:execution:storyhook-\$\{Stage\}-storyboard\*$"), "Execution"),
    (re.compile(r"^StoryboardStateMachine$"), "StateMachine"),
)


@dataclass(frozen=True, order=True)
class Grant:
    """One action on one resource; of rows, only those whose leading key matches `key`."""

    action: str
    resource: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}" + (f" for {self.key}" if self.key else "")


@dataclass(frozen=True)
class Need:
    """What one request asks for: all its rows must be allowed by the same statement."""

    action: str
    resource: str
    keys: frozenset[str] = frozenset()

    def __str__(self) -> str:
        keys = ", ".join(sorted(self.keys)[:3])
        return f"{self.action} on {self.resource}" + (f" for the keys {keys}" if keys else "")


@dataclass(frozen=True)
class Statement:
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    keys: tuple[str, ...]

    def allows(self, need: Need) -> bool:
        return (
            need.action in self.actions
            and any(fnmatchcase(need.resource, pattern) for pattern in self.resources)
            and (not self.keys or all(map(self._covers, need.keys)))
        )

    def _covers(self, key: str) -> bool:
        return any(fnmatchcase(key, pattern) for pattern in self.keys)

    def grants(self) -> Iterator[Grant]:
        for action in self.actions:
            for resource in self.resources:
                yield from (Grant(action, resource, key) for key in self.keys or ("",))


def uses(need: Need, grant: Grant) -> bool:
    """Whether the request could not be made, or not for all its rows, without the grant."""
    return (
        need.action == grant.action
        and fnmatchcase(need.resource, grant.resource)
        and (not grant.key or any(fnmatchcase(key, grant.key) for key in need.keys))
    )


def statements(function: str) -> list[Statement]:
    """Those of the function's role."""
    return [_statement(each) for each in template.role_statements(function)]


def of_state_machine() -> list[Statement]:
    policies = template.resource("StoryboardStateMachine")["Policies"]
    return [_statement(each) for policy in policies for each in policy["Statement"]]


def _statement(written: dict[str, Any]) -> Statement:
    assert written["Effect"] == "Allow"
    condition = written.get("Condition", {})
    assert condition.keys() <= {"ForAllValues:StringLike", "StringLike"}, f"which? {condition}"
    keys = [key for narrowed in condition.values() for key in narrowed.items()]
    assert all(name in _NARROWED for name, _ in keys), f"not understood: {condition}"
    return Statement(
        tuple(_each(written["Action"])),
        tuple(map(short, _each(written["Resource"]))),
        tuple(pattern for _, patterns in keys for pattern in _each(patterns)),
    )


def short(resource: Any) -> str:
    """`Table`, `Table/index/list`, `Bucket/images/*`, `Parameter/fal-key`, `SubmissionsQueue`."""
    if isinstance(resource, dict):
        [(tag, value)] = resource.items()
        resource = value.removesuffix(".Arn") if tag == "!GetAtt" else value
    for pattern, replacement in _SHORT:
        resource = pattern.sub(replacement, resource)
    return str(resource)


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
