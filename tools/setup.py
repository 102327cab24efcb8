"""What a stack needs beside its template: the secrets, and a first API key.

    python -m tools.setup --stack-name storyhook --region eu-west-1
    python -m tools.setup --stack-name storyhook --rotate signing-key

CloudFormation cannot make SSM SecureStrings, and a secret has no business in a template's
parameters anyway. Provider keys come from FAL_KEY and REPLICATE_API_TOKEN, or are asked for;
Replicate's webhook secret is fetched with its token. What is there already is left alone, unless
it is told to rotate: then the old secret stays valid beside the new one until the next rotation.
The local cloud is set up by the same functions.
"""

import argparse
import base64
import getpass
import json
import os
import secrets
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from storyhook.aws.budgets import BudgetTable
from storyhook.aws.keys import KeyTable
from storyhook.aws.secrets import Secrets
from storyhook.aws.table import Table
from storyhook.domain.access import ALL_SCOPES
from storyhook.domain.idempotency import SEED_BYTES, Origin
from storyhook.domain.keys import KeyRequest, Limits
from storyhook.providers.callbacks import callback_secret
from storyhook.usecases.keys import ManageKeys, NewKey

REPLICATE_URL = "https://api.replicate.com"
FAL_KEY = "fal-key"
REPLICATE_TOKEN = "replicate-token"
REPLICATE_WEBHOOK_SECRET = "replicate-webhook-secret"
SIGNING_KEY = "signing-key"  # from it the secret of each callback is derived
ROTATING = (SIGNING_KEY, REPLICATE_WEBHOOK_SECRET)
PARAMETERS = (FAL_KEY, REPLICATE_TOKEN, REPLICATE_WEBHOOK_SECRET, SIGNING_KEY)

_OPERATORS_TENANT = "default"
_TIMEOUT_SECONDS = 20


def parameter_name(stage: str, name: str) -> str:
    return f"/storyhook/{stage}/{name}"


def missing_parameters(ssm: Any, stage: str) -> list[str]:
    names = [parameter_name(stage, name) for name in PARAMETERS]
    absent = set(ssm.get_parameters(Names=names)["InvalidParameters"])
    return [name for name in PARAMETERS if parameter_name(stage, name) in absent]


def put_parameters(ssm: Any, stage: str, values: Mapping[str, str]) -> None:
    """Never over an existing one: a signing key that changes breaks every customer's checks."""
    for name, value in values.items():
        ssm.put_parameter(
            Name=parameter_name(stage, name), Value=value, Type="SecureString", Overwrite=False
        )


def rotate(ssm: Any, stage: str, name: str, new: str) -> bool:
    """Put `new` before the present secret, which stays valid; False if it is that already."""
    current, *_ = _valid(ssm, stage, name)
    if current == new:
        return False
    ssm.put_parameter(
        Name=parameter_name(stage, name),
        Value=f"{new} {current}",
        Type="SecureString",
        Overwrite=True,
    )
    return True


def _valid(ssm: Any, stage: str, name: str) -> tuple[str, ...]:
    return Secrets(ssm, f"/storyhook/{stage}").all(name)


def new_signing_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def create_api_key(
    dynamodb: Any, ssm: Any, table: str, stage: str, tenant: str | None = None
) -> NewKey:
    """A key without limits: the operator's, or one that makes keys for `tenant` alone.

    The table holds only the hash of its secret.
    """
    newest, *_ = _valid(ssm, stage, SIGNING_KEY)
    rows = Table(dynamodb, table)
    keys = ManageKeys(
        KeyTable(rows),
        BudgetTable(rows),
        lambda key_id, version: callback_secret(newest, key_id, version),
        lambda: datetime.now(UTC),
        secrets.token_bytes,
    )
    return keys.issue(
        KeyRequest("admin" if tenant else "operator", ALL_SCOPES, Limits(), tenant, None),
        tenant or _OPERATORS_TENANT,
        Origin(keys.clock(), secrets.token_bytes(SEED_BYTES)),
        operator=tenant is None,
    )


def fetch_replicate_webhook_secret(url: str, token: str) -> str:
    request = urllib.request.Request(
        f"{url}/v1/webhooks/default/secret", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
        return str(json.load(answer)["key"])


def main() -> None:
    options = _arguments()
    import boto3  # here, so that the functions above serve without it

    session = boto3.Session(region_name=options.region)
    stack = session.client("cloudformation").describe_stacks(StackName=options.stack_name)
    [found] = stack["Stacks"]
    stage = {p["ParameterKey"]: p["ParameterValue"] for p in found["Parameters"]}["Stage"]
    outputs = {o["OutputKey"]: o["OutputValue"] for o in found["Outputs"]}

    ssm = session.client("ssm")
    if options.rotate:
        _rotate(ssm, stage, options.rotate)
        return
    absent = missing_parameters(ssm, stage)
    put_parameters(ssm, stage, _values_for(absent))
    for name in absent:
        print(f"parameter {parameter_name(stage, name)}")
    still = missing_parameters(ssm, stage)
    if still:
        print(f"not set: {', '.join(still)}; models of that provider will be refused.")

    # A stack without a signing key has not been set up before, so nobody has a key yet.
    if SIGNING_KEY in absent or options.new_key:
        dynamodb = session.client("dynamodb")
        key = create_api_key(dynamodb, ssm, outputs["TableName"], stage, options.tenant)
        print(f"API key {key.issued.id} of tenant {key.issued.tenant}; it is shown this once:")
        print(f"  {key.secret}")
        print("and the secret that its callbacks are signed with:")
        print(f"  {key.callback_secret}")
    print(f"API: {outputs['ApiUrl']}   (STORYHOOK_URL; the key is STORYHOOK_API_KEY)")


def _rotate(ssm: Any, stage: str, name: str) -> None:
    if name == SIGNING_KEY:
        new = new_signing_key()
    else:
        [token] = _valid(ssm, stage, REPLICATE_TOKEN)
        new = _replicate_webhook_secret(token)
    if rotate(ssm, stage, name, new):
        print(f"{parameter_name(stage, name)}: new; the one before it stays valid until the next")
    else:
        print(f"{parameter_name(stage, name)}: Replicate still has the same; nothing changed")


def _values_for(absent: list[str]) -> dict[str, str]:
    values = {}
    if FAL_KEY in absent:
        values[FAL_KEY] = _secret("FAL_KEY", "fal.ai key")
    if REPLICATE_TOKEN in absent:
        values[REPLICATE_TOKEN] = _secret("REPLICATE_API_TOKEN", "Replicate API token")
    if REPLICATE_WEBHOOK_SECRET in absent:
        token = values.get(REPLICATE_TOKEN) or os.environ.get("REPLICATE_API_TOKEN", "")
        values[REPLICATE_WEBHOOK_SECRET] = _replicate_webhook_secret(token)
    if SIGNING_KEY in absent:
        values[SIGNING_KEY] = new_signing_key()
    return {name: value for name, value in values.items() if value}


def _secret(variable: str, what: str) -> str:
    value = os.environ.get(variable, "").strip()
    if not value and sys.stdin.isatty():
        value = getpass.getpass(f"{what} (empty: do not use this provider): ").strip()
    return value


def _replicate_webhook_secret(token: str) -> str:
    value = os.environ.get("REPLICATE_WEBHOOK_SECRET", "").strip()
    if value or not token:
        return value
    try:
        return fetch_replicate_webhook_secret(REPLICATE_URL, token)
    except urllib.error.HTTPError as problem:
        sys.exit(f"Replicate did not accept the token (HTTP {problem.code}).")
    except OSError as problem:
        sys.exit(f"Replicate cannot be reached ({problem}); or set REPLICATE_WEBHOOK_SECRET.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.setup", description="Set up a stack.")
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--region", help="default: as the AWS CLI finds it")
    parser.add_argument("--tenant", help="whose API key to make; default: the operator's")
    parser.add_argument("--new-key", action="store_true", help="make one more API key")
    parser.add_argument("--rotate", choices=ROTATING, help="put a new secret before the old one")
    return parser.parse_args()


if __name__ == "__main__":
    main()
