"""One cold start, in a process of its own: import, wiring, and the clients of the happy path.

Run by `startup.py` on the built artefacts alone, as Lambda would: `python -S -P cold.py CASE`.
Prints the CPU seconds (user and system) that the process has used when it is ready to work.
Standard library only, and as little of it as possible: what is imported here is measured too.
"""

# ruff: noqa: PLC0415 - importing inside is what this file is about

import os
import sys
import time


def bare() -> None:
    """The interpreter alone."""


def baseline() -> None:
    import boto3

    boto3.client("dynamodb")


def authorizer() -> None:
    import app
    from storyhook import wiring

    assert app.handler
    wiring.authorizer()
    clients("dynamodb")


def api() -> None:
    import app

    app._app()
    log()
    clients("dynamodb", "s3", "stepfunctions")


def create_prediction(provider: str) -> None:
    import app
    from storyhook import wiring

    app.PredictionBody.model_validate({"model": "flux-2-pro", "prompt": "A fox."})
    request, _ = wiring.create_prediction()
    log()
    clients("dynamodb", "s3", "ssm")
    sdk(request.submit.provider, provider)


def submit(provider: str) -> None:
    import app
    from storyhook import wiring

    assert app.handler
    send, _ = wiring.submit()
    log()
    clients("dynamodb", "s3", "ssm")
    sdk(send.provider, provider)


def webhook(provider: str, tells: str) -> None:
    """`tells`: whom it tells in the end, a board's workflow or the queue of callbacks."""
    import app
    from storyhook import wiring

    assert app.handler
    receive = wiring.webhook()
    receive.reader(provider)
    log()
    clients("dynamodb", "s3", tells)
    if provider == "fal":
        from nacl.signing import VerifyKey

        VerifyKey(bytes(32))
    else:
        clients("ssm")


def callback() -> None:
    import app
    from storyhook import wiring

    assert app.handler
    wiring.callback()
    log()
    clients("dynamodb", "ssm")
    tls()


def assemble() -> None:
    import app
    from storyhook import wiring

    assert app.handler
    wiring.assemble()
    log()
    clients("dynamodb", "s3", "sqs")


def reconcile_idle() -> None:
    """Nothing is overdue: what nearly every minute is like."""
    import app
    from storyhook import wiring

    assert app.handler
    wiring.reconcile()
    log()
    clients("dynamodb")


def reconcile_busy() -> None:
    reconcile_idle()
    from storyhook import wiring

    clients("s3", "sqs", "stepfunctions", "ssm")
    sdk(wiring.reconcile().provider, "fal")


def clients(*services: str) -> None:
    from storyhook.aws.clients import client

    for service in services:
        client(service)


def log() -> None:
    from storyhook.logs import logger

    logger()


def sdk(provider: object, name: str) -> None:
    """The provider's client with its connection pool; its key comes from here, not from SSM."""
    from storyhook.aws import secrets

    secrets.Secrets.get = lambda self, name: "a-key"
    session = provider(name)._session
    session._client  # both SDKs make their HTTP client when it is first used


def tls() -> None:
    """What the first https request of `web.request` needs: the system's certificates."""
    import ssl

    ssl.create_default_context()


CASES = {
    "bare": bare,
    "baseline": baseline,
    "authorizer": authorizer,
    "api": api,
    "create_prediction fal": lambda: create_prediction("fal"),
    "create_prediction replicate": lambda: create_prediction("replicate"),
    "submit fal": lambda: submit("fal"),
    "submit replicate": lambda: submit("replicate"),
    "webhook fal board": lambda: webhook("fal", "stepfunctions"),
    "webhook replicate board": lambda: webhook("replicate", "stepfunctions"),
    "webhook fal callback": lambda: webhook("fal", "sqs"),
    "callback": callback,
    "assemble": assemble,
    "reconcile idle": reconcile_idle,
    "reconcile busy": reconcile_busy,
}

if __name__ == "__main__":
    CASES[sys.argv[1]]()
    print(time.process_time(), flush=True)
    os._exit(0)  # a Lambda environment is not torn down either
