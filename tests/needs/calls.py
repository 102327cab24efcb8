"""What a call of AWS needs: its actions, resource and leading keys, as IAM looks at it."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.fixtures import template
from tests.fixtures.cloud import SECRETS
from tests.needs.grants import Need

Call = tuple[str, str, dict[str, Any]]

_SERVICES = {"stepfunctions": "states", "sfn": "states"}
# What Lambda does for a function that a queue invokes, by the function's role.
_POLLING = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
# What each function does by itself: it says something.
_SAYING = ("logs:CreateLogStream", "logs:PutLogEvents")
# Where an operation needs an action of another name.
_ACTIONS = {"s3:ListObjectsV2": "s3:ListBucket"}
_KEY_EQUALS = re.compile(r"(\w+) = (:\w+)")
# Task resources of the state machine, and what its role needs for them.
_TASKS = {
    "arn:aws:states:::sqs:sendMessage.waitForTaskToken": "sqs:SendMessage",
    "arn:aws:states:::lambda:invoke": "lambda:InvokeFunction",
}
_SEEING_THROUGH = ("states:DescribeExecution", "states:StopExecution")
_TARGETS = {
    "${SubmissionsQueueUrl}": "SubmissionsQueue",
    "${AssembleFunctionArn}": "AssembleFunction",
    "${ChooseFunctionArn}": "ChooseFunction",
}


def needs(call: Call) -> Iterator[Need]:
    service, operation, parameters = call
    service = _SERVICES.get(service, service)
    if service == "dynamodb":
        yield from _of_rows(operation, parameters)
    elif operation == "CreateBucket":
        # What botocore makes a form for an upload of; it is signed, and not sent.
        yield Need("s3:PutObject", "Bucket/uploads/")
    else:
        action = f"{service}:{operation}"
        prefix = frozenset([parameters["Prefix"]] if "Prefix" in parameters else [])
        yield Need(_ACTIONS.get(action, action), _resource(service, parameters), prefix)


def _of_rows(operation: str, parameters: dict[str, Any]) -> Iterator[Need]:
    action = f"dynamodb:{operation}"
    match operation:
        case "TransactWriteItems" | "TransactGetItems":
            # It has no action of its own: each part needs the one that it would need alone.
            for part in parameters["TransactItems"]:
                for name, of in part.items():
                    yield from _of_rows(f"{name}Item", of)
        case "BatchGetItem":
            keys = [key for table in parameters["RequestItems"].values() for key in table["Keys"]]
            yield Need(action, "Table", frozenset(map(_leading, keys)))
        case "BatchWriteItem":
            writes = [write for table in parameters["RequestItems"].values() for write in table]
            items = [next(iter(write.values())) for write in writes]
            rows = [item.get("Item") or item["Key"] for item in items]
            yield Need(action, "Table", frozenset(map(_leading, rows)))
        case "Query":
            index = parameters.get("IndexName")
            values = parameters["ExpressionAttributeValues"]
            found = _KEY_EQUALS.match(parameters["KeyConditionExpression"])
            assert found, f"whose rows? {parameters['KeyConditionExpression']}"
            key = frozenset([values[found[2]]["S"]])
            yield Need(action, f"Table/index/{index}" if index else "Table", key)
        case _:
            row = parameters.get("Key") or parameters.get("Item")
            assert row, f"{operation} names no row, so no role can be narrow about it"
            yield Need(action, "Table", frozenset([_leading(row)]))


def _leading(row: dict[str, Any]) -> str:
    return str(row["pk"]["S"])


def _resource(service: str, parameters: dict[str, Any]) -> str:
    match service:
        case "s3":
            return f"Bucket/{parameters['Key']}" if "Key" in parameters else "Bucket"
        case "sqs":
            queue: str = parameters["QueueUrl"].rpartition("/")[2]
            return f"{queue.capitalize()}Queue"
        case "ssm":
            path: str = parameters["Name"]
            return f"Parameter/{path.removeprefix(SECRETS + '/')}"
        case "states":
            return "StateMachine"
    raise AssertionError(f"which resource of {service}? Say so in tests/needs/calls.py.")


def of_itself(function: str) -> Iterator[Need]:
    """What is done by the function's role without a line of ours."""
    yield from (Need(action, "Logs") for action in _SAYING)
    for event in template.functions()[function].get("Events", {}).values():
        if event["Type"] == "SQS":
            queue = event["Properties"]["Queue"]["!GetAtt"].removesuffix(".Arn")
            yield from (Need(action, queue) for action in _POLLING)


def of_state_machine() -> set[Need]:
    """What the tasks of the workflow need."""
    text = (template.ROOT / "statemachine/storyboard.asl.json").read_text(encoding="utf-8")
    return set(_of_states(json.loads(text)))


def _of_states(node: Any) -> Iterator[Need]:
    if isinstance(node, dict):
        if node.get("Type") == "Task":
            arguments = node["Arguments"]
            target = arguments.get("QueueUrl") or arguments["FunctionName"]
            yield Need(_TASKS[node["Resource"]], _TARGETS[target])
        if node.get("Mode") == "DISTRIBUTED":
            # A Map whose items are executions of their own, which it starts and sees through.
            yield Need("states:StartExecution", "StateMachine")
            yield from (Need(action, "Execution") for action in _SEEING_THROUGH)
        for value in node.values():
            yield from _of_states(value)
