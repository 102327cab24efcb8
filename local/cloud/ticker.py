"""python -m local.cloud.ticker: calls the reconcile function every two seconds.

Providers that cannot reach a laptop are asked instead, and the schedule's minute is too long to
wait for a picture. Several sweeps may run side by side: each row is claimed by one of them.
"""

import argparse
import os
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.cloud import aws

EVERY_SECONDS = 2.0
AT_ONCE = 3
# Longer than the function may run.
PATIENCE_SECONDS = 130


def main() -> None:
    options = _arguments()
    once = Config(read_timeout=PATIENCE_SECONDS, retries={"total_max_attempts": 1})
    functions = aws.client("lambda", options.endpoint_url, once)
    ends = time.monotonic() + options.max_seconds
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sweeps: list[Future[None]] = []
        while time.monotonic() < ends and os.getppid() == options.parent_pid:
            sweeps = [sweep for sweep in sweeps if not sweep.done()]
            if len(sweeps) < AT_ONCE:
                sweeps.append(pool.submit(_sweep, functions, options.function))
            time.sleep(EVERY_SECONDS)


def _sweep(functions: Any, name: str) -> None:
    """One look at whatever is due; what goes wrong is written down, and the next one comes."""
    try:
        answer = functions.invoke(FunctionName=name)
    except (BotoCoreError, ClientError) as problem:
        print(f"not swept: {problem}", file=sys.stderr, flush=True)
        return
    if "FunctionError" in answer:
        said = answer["Payload"].read().decode(errors="replace")
        print(f"the reconcile function failed: {said[:500]}", file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.cloud.ticker")
    parser.add_argument("--endpoint-url", required=True)
    parser.add_argument("--function", required=True, help="name of the reconcile function")
    parser.add_argument("--parent-pid", type=int, required=True, help="it ends with this process")
    parser.add_argument("--max-seconds", type=float, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
