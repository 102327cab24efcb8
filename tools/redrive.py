"""python -m tools.redrive: send the messages that a queue gave up on (its dead letters) again.

    python -m tools.redrive --stack-name storyhook --region eu-west-1 [--look]

A message is a hint, as a webhook is: its prediction, callback or export has a row, which the
reconciler looks after with or without it. So sending one again, or twice, is harmless, and one
whose row is over does nothing. The cause is in the log group /storyhook/<Stage>; mend it first.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

# A queue's output in the template, and that of its dead letters.
QUEUES = {
    "SubmissionsQueueUrl": "SubmissionsDeadLettersUrl",
    "CallbacksQueueUrl": "CallbacksDeadLettersUrl",
    "ExportsQueueUrl": "ExportsDeadLettersUrl",
}
# SQS answers from some of its servers at a time: only a long poll sees them all.
_LONG_POLL_SECONDS = 3
_RETRY_LATER_SECONDS = 60


def dead_letters(
    sqs: Any, url: str, long_poll_seconds: int = _LONG_POLL_SECONDS
) -> Iterator[dict[str, Any]]:
    """Each message of the queue once; it stays there, unseen for a minute, until it is deleted."""
    while True:
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=_RETRY_LATER_SECONDS,
            WaitTimeSeconds=long_poll_seconds,
        )
        found = answer.get("Messages", [])
        if not found:
            return
        yield from found


def redrive(sqs: Any, source: str, to: str, *, look: bool = False, **wait: int) -> list[str]:
    """Move every message from `source` to `to`, or only look; what each was about.

    Sent before it is deleted: a run that is cut short doubles a message and loses none.
    """
    moved, looked_at = [], []
    for message in dead_letters(sqs, source, **wait):
        if look:
            looked_at.append(message["ReceiptHandle"])
        else:
            sqs.send_message(QueueUrl=to, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
        moved.append(about(message["Body"]))
    for receipt in looked_at:  # Or a redrive right after a look would find nothing.
        sqs.change_message_visibility(QueueUrl=source, ReceiptHandle=receipt, VisibilityTimeout=0)
    return moved


def about(body: str) -> str:
    """The id in a message, never its task token."""
    try:
        message = json.loads(body)
        named = (message.get(name) for name in ("prediction_id", "callback_id", "export_id"))
        return str(next(filter(None, named), "unknown"))
    except (ValueError, AttributeError):
        return "not one of ours"


def main() -> None:
    options = _arguments()
    import boto3  # here, so that the functions above serve without it
    from botocore.exceptions import BotoCoreError, ClientError

    session = boto3.Session(region_name=options.region)
    try:
        stack = session.client("cloudformation").describe_stacks(StackName=options.stack_name)
    except (BotoCoreError, ClientError) as problem:
        sys.exit(
            f"nothing sent: the stack {options.stack_name} cannot be read ({problem}). "
            "AWS credentials are needed, and STACK=… REGION=… where the stack is."
        )
    outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Stacks"][0]["Outputs"]}
    sqs = session.client("sqs")
    for queue, letters in QUEUES.items():
        moved = redrive(sqs, outputs[letters], outputs[queue], look=options.look)
        verb = "waiting" if options.look else "sent again"
        print(f"{letters.removesuffix('Url')}: {len(moved)} {verb}")
        for each in moved:
            print(f"  {each}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.redrive")
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--region", help="default: as the AWS CLI finds it")
    parser.add_argument("--look", action="store_true", help="list them, move nothing")
    return parser.parse_args()


if __name__ == "__main__":
    main()
