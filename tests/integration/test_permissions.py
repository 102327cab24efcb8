"""Each function's role in template.yaml allows what the function does, and nothing else.

`Stage.run` refuses in every test what a role does not allow; `python -m tests.needs` lists all.
"""

import pytest

from tests.fixtures import template
from tests.fixtures.functions import FUNCTIONS
from tests.needs import __main__ as command
from tests.needs import grants, report
from tests.needs.calls import needs
from tests.needs.grants import Grant, Need, Statement


def test_every_call_is_granted_and_every_grant_is_used() -> None:
    assert "\n".join(command.problems()) == ""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_is_a_functions_own_and_names_rows_and_resources(function: str) -> None:
    written = template.functions()[function]
    name = "".join(part.capitalize() for part in function.split("_"))
    assert written["Role"] == {"!GetAtt": f"{name}Role.Arn"}
    assert "Policies" not in written, "ignored beside `Role`: add the statement to the role"
    role = template.resource(f"{name}Role")
    assert role.keys() == {"AssumeRolePolicyDocument", "Policies"}, "a managed policy is wider"
    for statement in grants.statements(function):
        assert "*" not in statement.resources
        assert not [action for action in statement.actions if "*" in action]
        # Of what is narrowed by keys: rows, and a folder that is listed.
        narrow = ("dynamodb:", "s3:ListBucket")
        named = any(action.startswith(narrow) for action in statement.actions)
        assert named == bool(statement.keys), f"which rows? {statement}"
        assert not {"*", "*#*"} & set(statement.keys)


ROWS = Statement(("dynamodb:GetItem", "dynamodb:BatchGetItem"), ("Table",), ("PRED#*", "SB#*"))
OTHERS = Statement(("dynamodb:BatchGetItem",), ("Table",), ("CB#*",))


def test_what_is_missing_is_named_with_what_to_add() -> None:
    both = {"RequestItems": {"t": {"Keys": [{"pk": {"S": "PRED#1"}}, {"pk": {"S": "CB#1"}}]}}}
    asked = list(needs(("dynamodb", "BatchGetItem", both)))
    [text] = report.missing("webhook", asked, [ROWS, OTHERS])
    assert text.startswith("webhook calls dynamodb:BatchGetItem on Table for the keys CB#1, PRED#1")
    assert "add CB#*, PRED#* to the `dynamodb:LeadingKeys` of the statement" in text
    assert report.missing("webhook", [Need("dynamodb:GetItem", "Table/index/list")], [ROWS])
    assert report.missing("webhook", [Need("dynamodb:PutItem", "Table")], [ROWS])
    allowed = [Need("dynamodb:GetItem", "Table", frozenset(["SB#1"]))]
    assert report.missing("webhook", allowed, [ROWS]) == []


def test_each_key_of_a_grant_must_be_used() -> None:
    asked = {
        Need("dynamodb:GetItem", "Table", frozenset(["PRED#1"])),
        Need("dynamodb:BatchGetItem", "Table", frozenset(["SB#1"])),
    }
    found = report.unused("webhook", asked, [ROWS])
    assert [text.partition(",")[0] for text in found] == [
        f"webhook may {Grant('dynamodb:BatchGetItem', 'Table', 'PRED#*')}",
        f"webhook may {Grant('dynamodb:GetItem', 'Table', 'SB#*')}",
    ]


def test_a_transaction_needs_each_of_its_writes() -> None:
    parts = [{"Put": {"Item": {"pk": {"S": "CB#1"}}}}, {"Update": {"Key": {"pk": {"S": "SB#1"}}}}]
    asked = set(needs(("dynamodb", "TransactWriteItems", {"TransactItems": parts})))
    assert asked == {
        Need("dynamodb:PutItem", "Table", frozenset(["CB#1"])),
        Need("dynamodb:UpdateItem", "Table", frozenset(["SB#1"])),
    }
