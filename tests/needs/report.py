"""Calls that a role does not allow, and grants that no call uses, with what to do about each."""

from collections.abc import Iterable

from tests.needs import grants
from tests.needs.calls import Call, needs
from tests.needs.grants import Grant, Need, Statement


def demand_all_granted(function: str, calls: Iterable[Call]) -> None:
    """Raises AssertionError that says what to add to the function's role."""
    asked = {need for call in calls for need in needs(call)}
    problems = missing(function, asked, grants.statements(function))
    assert not problems, "\n".join(problems)


def missing(function: str, asked: Iterable[Need], allowed: list[Statement]) -> list[str]:
    refused = {need for need in asked if not any(each.allows(need) for each in allowed)}
    return sorted({_advice(function, need) for need in refused})


def _advice(function: str, need: Need) -> str:
    text = f"{function} calls {need}, which its role in template.yaml does not allow"
    if not need.keys:
        return f"{text}: add `{need.action}` on that resource to the role."
    patterns = ", ".join(sorted({pattern(key) for key in need.keys}))
    return (
        f"{text}: add {patterns} to the `dynamodb:LeadingKeys` of the statement with "
        f"`{need.action}`, or a statement of its own. One statement must hold all keys that one "
        "request names."
    )


def pattern(key: str) -> str:
    """`PRED#*` of a row's key, `*#PRED` of a key of the index `list`."""
    kind, _, rest = key.partition("#")
    if rest and kind.isupper():
        return f"{kind}#*"
    return f"*#{rest}" if rest else kind


def unused(function: str, asked: set[Need], allowed: list[Statement]) -> list[str]:
    granted = {grant for statement in allowed for grant in statement.grants()}
    idle = [g for g in granted if not any(grants.uses(need, g) for need in asked)]
    return [_idle(function, grant) for grant in sorted(idle)]


def _idle(function: str, grant: Grant) -> str:
    return (
        f"{function} may {grant}, and never does: take it out of the role in template.yaml, or "
        "show the call by an event in events/ or a story in tests/needs/stories.py."
    )
