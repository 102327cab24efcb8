"""Dead letters: each queue has some, each is watched, and they can be sent again."""

from typing import Any

import pytest

from storyhook.aws import clients
from storyhook.domain.prediction import Status
from tests.fixtures import template
from tests.fixtures.world import World
from tools import redrive


def _queues() -> dict[str, dict[str, Any]]:
    resources = template.template()["Resources"]
    return {n: r["Properties"] for n, r in resources.items() if r["Type"] == "AWS::SQS::Queue"}


def test_every_queue_has_dead_letters_and_every_dead_letter_an_alarm() -> None:
    queues = _queues()
    letters = {
        properties["RedrivePolicy"]["deadLetterTargetArn"]["!GetAtt"].removesuffix(".Arn")
        for properties in queues.values()
        if "RedrivePolicy" in properties
    }
    assert letters == {name for name in queues if "RedrivePolicy" not in queues[name]}
    assert len(letters) * 2 == len(queues)
    alarms = [
        r["Properties"]
        for r in template.template()["Resources"].values()
        if r["Type"] == "AWS::CloudWatch::Alarm"
    ]
    watched = {
        dimension["Value"]["!GetAtt"].removesuffix(".QueueName")
        for alarm in alarms
        for dimension in alarm.get("Dimensions", [])
        if alarm["Namespace"] == "AWS/SQS"
        and alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
        and (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    }
    assert watched == letters
    outputs = template.template()["Outputs"]
    assert {outputs[name]["Value"]["!Ref"] for name in redrive.QUEUES.values()} == letters


@pytest.fixture
def letters(world: World) -> str:
    url: str = clients.client("sqs").create_queue(QueueName="dead-letters")["QueueUrl"]
    return url


def test_looking_moves_nothing(world: World, letters: str) -> None:
    sqs, rows = clients.client("sqs"), world.rows_of(world.board())
    for row in rows:
        sqs.send_message(QueueUrl=letters, MessageBody=f'{{"prediction_id": "{row.id}"}}')

    to = world.cloud.submissions_url
    seen = redrive.redrive(sqs, letters, to, look=True, long_poll_seconds=0)

    assert sorted(seen) == sorted(row.id for row in rows)
    assert world.cloud.messages(to) == []
    moved = redrive.redrive(sqs, letters, to, long_poll_seconds=0)
    assert sorted(moved) == sorted(seen), "there still, for whoever looks first and then sends"


def test_what_is_missing_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.argv", ["redrive", "--stack-name", "storyhook"])
    with pytest.raises(SystemExit, match=r"^nothing sent: .*specify a region.* REGION=…"):
        redrive.main()


def test_moving_leaves_nothing_behind(world: World, letters: str) -> None:
    sqs, board = clients.client("sqs"), world.board()
    rows = world.rows_of(board)
    for row in rows * 6:  # More than one answer of SQS holds, and each more than once.
        body = f'{{"prediction_id": "{row.id}", "task_token": "token-{row.id}"}}'
        sqs.send_message(QueueUrl=letters, MessageBody=body)
    sqs.send_message(QueueUrl=letters, MessageBody="[]")

    moved = redrive.redrive(sqs, letters, world.cloud.submissions_url, long_poll_seconds=0)

    assert len(moved) == 13
    assert moved.count("not one of ours") == 1
    assert not any("token" in each for each in moved)
    left = sqs.get_queue_attributes(QueueUrl=letters, AttributeNames=["All"])["Attributes"]
    assert left["ApproximateNumberOfMessages"] == "0"
    assert left["ApproximateNumberOfMessagesNotVisible"] == "0"
    received = sqs.receive_message(QueueUrl=world.cloud.submissions_url, MaxNumberOfMessages=10)
    for message in received["Messages"]:
        if message["Body"] != "[]":
            world.submit.from_queue(redrive.about(message["Body"]), "token")
    assert {world.row(row).status for row in rows} == {Status.SUBMITTED}
    assert len(world.provider.submitted) == 2, "a message more is no job more"
