"""python -m tools.smoke: is a deployed stack well? Reads, plans, and with --pay makes one picture.

    STORYHOOK_API_KEY=shk_… python -m tools.smoke --url https://….execute-api.….amazonaws.com
    STORYHOOK_API_KEY=shk_… python -m tools.smoke --stack-name storyhook --region eu-west-1 --pay

Nothing is paid without --pay, and then the price is named and asked about first (unless --yes).
With --callback-url, of a server of yours, the picture's callback must arrive there too.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

import httpx

PROMPT = "a lighthouse on a cliff at dusk, watercolour"
# How long one picture, and then its callback, may take.
PATIENCE_SECONDS = 300.0
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF")


class Unwell(Exception):
    """What is not as it should be, and what to do."""


@dataclass(frozen=True)
class Smoke:
    http: httpx.Client
    say: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def reads(self) -> str:
        """The id of the cheapest model that draws from words and whose price is known."""
        models = self._call("GET", "/models?sort=price")["items"]
        cheap = [
            model
            for model in models
            if not model["references"]["required"] and model["price"]["example"]["cost"]
        ]
        if not cheap:
            raise Unwell("The catalogue has no model that draws from words alone.")
        self.say(f"models: {len(models)}, the cheapest is {cheap[0]['id']}")
        return str(cheap[0]["id"])

    def plans(self, model: str) -> Decimal:
        """What one picture would cost; nothing is written or paid."""
        body = {"model": model, "prompt": PROMPT}
        cost = self._call("POST", "/predictions?dry_run=true", body)["cost"]["estimated"]
        if cost is None:
            raise Unwell(f"The price of {model} is not known.")
        self.say(f"dry run: one picture of {model} costs about ${cost}")
        return Decimal(cost)

    def makes(self, model: str, callback_url: str | None) -> None:
        """One picture, paid, from the request to the bytes, and its callback."""
        body = {"model": model, "prompt": PROMPT, "callback_url": callback_url}
        asked = {name: value for name, value in body.items() if value is not None}
        path = self._call("POST", "/predictions", asked)["urls"]["self"]
        row = self._until(path, lambda row: row["status"] not in ("queued", "running"))
        if row["status"] != "succeeded":
            raise Unwell(f"{path} ended {row['status']}: {row['error']}")
        [image, *_] = row["output"]["images"]
        # The URL holds its own right to read: our key is not for it.
        data = httpx.get(image["url"], timeout=30, trust_env=False).content
        if len(data) != image["bytes"] or not data.startswith(_MAGIC):
            raise Unwell(f"{path} has a picture that cannot be read from the bucket.")
        self.say(f"picture: {path}, {len(data)} bytes, ${row['cost']['actual']}")
        if callback_url is None:
            self.say("callback: not tried; --callback-url names a server that takes one")
            return
        log = f"/callbacks?subject={row['id']}"
        found = self._until(
            log, lambda page: any(each["status"] != "pending" for each in page["items"])
        )
        [callback] = found["items"]
        if callback["status"] != "delivered":
            raise Unwell(f"{callback['urls']['self']} was not delivered: {callback['error']}")
        self.say(f"callback: delivered, {len(callback['attempts'])} attempt(s)")

    def _until(self, path: str, good: Callable[[Any], bool]) -> Any:
        deadline = self.monotonic() + PATIENCE_SECONDS
        while not good(thing := self._call("GET", path)):
            if self.monotonic() > deadline:
                raise Unwell(f"{path} is as it was after {PATIENCE_SECONDS:.0f} s.")
            self.sleep(1.0)
        return thing

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        try:
            answer = self.http.request(method, path, json=body)
        except httpx.HTTPError as problem:
            raise Unwell(f"{method} {path}: no answer ({problem}).") from problem
        if answer.status_code in (401, 403):
            raise Unwell(f"{method} {path}: {answer.status_code}; is the API key of this stack?")
        if answer.is_error:
            raise Unwell(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()


def main() -> None:
    options = _arguments()
    key = os.environ.get("STORYHOOK_API_KEY", "").strip()
    if not key:
        _fail("set STORYHOOK_API_KEY, or `make smoke KEY=shk_…`.")
    url = options.url or _url_of(options.stack_name, options.region)
    headers = {"authorization": f"Bearer {key}"}
    with httpx.Client(base_url=url, headers=headers, timeout=40) as http:
        smoke = Smoke(http, print)
        try:
            model = smoke.reads()
            cost = smoke.plans(model)
            if options.pay and (options.yes or _agrees(model, cost)):
                smoke.makes(model, options.callback_url)
        except Unwell as problem:
            _fail(str(problem))
    print("well.")


def _agrees(model: str, cost: Decimal) -> bool:
    if not sys.stdin.isatty():
        _fail("nobody is there to agree to the price; --yes (ARGS=--yes) agrees beforehand.")
    return input(f"Make one picture with {model} for about ${cost}? [y/N] ").strip() == "y"


def _url_of(stack: str, region: str | None) -> str:
    import boto3  # here: with --url no AWS is needed
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client = boto3.Session(region_name=region).client("cloudformation")
        [found] = client.describe_stacks(StackName=stack)["Stacks"]
    except (BotoCoreError, ClientError) as problem:
        _fail(f"the stack {stack} cannot be read ({problem}); name it, or its URL.")
    return {o["OutputKey"]: o["OutputValue"] for o in found["Outputs"]}["ApiUrl"]


def _fail(why: str) -> NoReturn:
    sys.exit(f"unwell: {why}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.smoke")
    parser.add_argument("--url", help="of the API; default: from the stack's outputs")
    parser.add_argument("--stack-name", default="storyhook")
    parser.add_argument("--region", help="default: as the AWS CLI finds it")
    parser.add_argument("--pay", action="store_true", help="make one real picture")
    parser.add_argument("--yes", action="store_true", help="agree to its price beforehand")
    parser.add_argument("--callback-url", help="a server of yours that takes its callback")
    return parser.parse_args()


if __name__ == "__main__":
    main()
