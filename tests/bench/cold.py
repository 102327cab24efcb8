"""One cold start, in a process of its own: import, wiring, and the clients of the happy path.

Run by `startup.py` on the built artefacts alone, as Lambda would: `python -S -P cold.py CASE`.
Prints the CPU seconds (user and system) that the process has used when it is ready to work.
Standard library only, and as little of it as possible: what is imported here is measured too.
"""

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def bare() -> None:
    """The interpreter alone."""


def baseline() -> None:
    import boto3

    boto3.client("dynamodb")


def authorizer() -> None:
    app()
    from storyhook import wiring

    wiring.authorizer()
    clients("dynamodb")


def api() -> None:
    app()._app()
    log()
    clients("dynamodb", "s3", "stepfunctions")


def create_prediction(provider: str) -> None:
    entry = app()
    from storyhook import wiring

    entry.PredictionBody.model_validate({"model": "flux-2-pro", "prompt": "A fox."})
    request, *_ = wiring.create_prediction()
    log()
    clients("dynamodb", "s3", "ssm")
    sdk(request.submit.provider, provider)


def cancel(provider: str) -> None:
    """A scene that is at its provider: the workflow is told in the end."""
    app()
    from storyhook import wiring

    ask, _ = wiring.cancel()
    log()
    clients("dynamodb", "s3", "ssm", "stepfunctions")
    sdk(ask.provider, provider)


def submit(provider: str) -> None:
    app()
    from storyhook import wiring

    send, _ = wiring.submit()
    log()
    clients("dynamodb", "s3", "ssm")
    sdk(send.provider, provider)


def webhook(provider: str, tells: str) -> None:
    """`tells`: whom it tells in the end, a board's workflow or the queue of callbacks."""
    app()
    from storyhook import wiring

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
    app()
    from storyhook import wiring

    wiring.callback()
    log()
    clients("dynamodb", "ssm")
    tls()


def assemble() -> None:
    app()
    from storyhook import wiring

    wiring.assemble()
    log()
    clients("dynamodb", "s3", "sqs")


def reconcile_idle() -> None:
    """Nothing is overdue: what nearly every minute is like."""
    app()
    from storyhook import wiring

    wiring.reconcile()
    log()
    clients("dynamodb")


def reconcile_busy() -> None:
    reconcile_idle()
    from storyhook import wiring

    clients("s3", "sqs", "stepfunctions", "ssm")
    sdk(wiring.reconcile().provider, "fal")


def app() -> "Any":
    """The function's own module, `app.py`, and all that it imports."""
    return __import__("app")


def clients(*services: str) -> None:
    from storyhook.aws.clients import client

    for service in services:
        client(service)


def log() -> None:
    from storyhook.logs import logger

    logger()


def sdk(provider: "Any", name: str) -> None:
    """The provider's client with its connection pool; its key comes from here, not from SSM."""
    from storyhook.aws import secrets

    secrets.Secrets.find = lambda self, name, **_: "a-key"  # type: ignore[method-assign]
    assert provider(name)._session._client  # both SDKs make it when it is first used


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
    "cancel fal": lambda: cancel("fal"),
    "cancel replicate": lambda: cancel("replicate"),
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
    used = time.process_time()
    files = [str(getattr(module, "__file__", "")) for module in sys.modules.values()]
    foreign = [file for file in files if "-packages" in file]
    assert not foreign, f"not from the build: {foreign[:3]}"
    print(used, flush=True)
    os._exit(0)  # a Lambda environment is not torn down either
