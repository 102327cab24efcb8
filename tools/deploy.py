"""python -m tools.deploy: build, deploy to a real AWS account, and set the stack up.

It says whose account and which region it is about to change, what will be there and what that
costs while idle, and waits for the stack's name to be typed; after that `sam deploy` shows the
change set and asks once more. With --yes, for CI, nobody is asked. Settings, such as the
stack's name and its parameters, are in samconfig.toml under the environment's name.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NoReturn

# A month, in an account whose free alarms and requests are not used up (docs/operations.md).
IDLE_USD = "0.50"
_COUNTED = {
    "AWS::Serverless::Function": "functions",
    "AWS::DynamoDB::Table": "table",
    "AWS::S3::Bucket": "bucket",
    "AWS::SQS::Queue": "queues",
    "AWS::Serverless::StateMachine": "state machine",
    "AWS::ApiGatewayV2::Api": "HTTP API",
    "AWS::IAM::Role": "roles",
    "AWS::CloudWatch::Alarm": "alarms",
    "AWS::CloudWatch::Dashboard": "dashboard",
}
ROOT = Path(__file__).resolve().parent.parent
SAM = ROOT / ".tools" / "sam" / "bin" / "sam"


def main() -> None:
    options = _arguments()
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    if options.environment not in config or options.environment == "local":
        _refuse(f"samconfig.toml has no environment {options.environment} for AWS")
    stack = config[options.environment]["global"]["parameters"]["stack_name"]
    region = _confirm(stack, options)

    environment = ["--config-env", options.environment]
    _sam("validate", "--lint", *environment, "--region", region)
    for leftover in ROOT.glob("functions/*/__pycache__"):
        shutil.rmtree(leftover)  # a function's folder is uploaded as it is
    _sam("build", *environment)
    unasked = ["--no-confirm-changeset"] if options.yes else []
    _sam("deploy", *environment, "--region", region, *unasked)
    setup = [sys.executable, "-m", "tools.setup", "--stack-name", stack, "--region", region]
    sys.exit(subprocess.run(setup, cwd=ROOT, check=False).returncode)


def _confirm(stack: str, options: argparse.Namespace) -> str:
    """The region, once a person has seen where this goes."""
    redirected = [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL")]
    if redirected:
        _refuse(f"{redirected[0]} is set, which points at something other than AWS; unset it")
    if not options.yes and not sys.stdin.isatty():
        _refuse("this changes an AWS account and may cost money: run it from a terminal, or --yes")
    import boto3  # here: the checks above need no AWS
    from botocore.exceptions import BotoCoreError, ClientError

    session = boto3.Session(region_name=options.region)
    if session.region_name is None:
        _refuse("no region is set: `make deploy REGION=eu-west-1`, or `aws configure`")
    try:
        caller = session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as problem:
        _refuse(f"AWS credentials are needed ({problem})")
    print(f"stack    {stack}\naccount  {caller['Account']}\nas       {caller['Arn']}")
    print(f"region   {session.region_name}")
    print(f"there    {contents((ROOT / 'template.yaml').read_text(encoding='utf-8'))}")
    print(f"idle     about ${IDLE_USD} a month; pictures cost what their provider asks on top")
    if options.yes:
        return str(session.region_name)
    if input("To deploy there, type the stack's name: ").strip() != stack:
        _refuse("that is not the stack's name")
    return str(session.region_name)


def contents(template: str) -> str:
    """What the stack is made of, such as `9 functions, 1 table`."""
    types = [line.strip().removeprefix("Type: ") for line in template.splitlines()]
    return ", ".join(f"{types.count(kind)} {name}" for kind, name in _COUNTED.items())


def _sam(*arguments: str) -> None:
    # The project's own python settings are not for the SAM CLI's interpreter.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run([str(SAM), *arguments], cwd=ROOT, env=clean, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)


def _refuse(why: str) -> NoReturn:
    sys.exit(f"not deployed: {why}.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.deploy", description="Deploy to AWS.")
    parser.add_argument("--environment", default="prod", help="section of samconfig.toml")
    parser.add_argument("--region", help="default: as the AWS CLI finds it")
    parser.add_argument("--yes", action="store_true", help="ask nothing: for CI")
    return parser.parse_args()


if __name__ == "__main__":
    main()
