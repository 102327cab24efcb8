"""python -m tests.fuzz: schemathesis on every operation of docs/openapi.json.

On a local cloud of its own with simulated providers, or in this process (`--in-process`), where a
request takes a tenth of the time. Held to the document closed: what is not described is wrong.
"""

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from local.cloud import LocalCloud
from tests.e2e.support import Customer
from tests.fixtures import events
from tests.fixtures.door import opened
from tests.fuzz.document import for_fuzzing
from tools.openapi.chapters import told
from tools.openapi.story import stage

HERE = Path(__file__).parent
SCHEMATHESIS = HERE.parents[1] / ".tools/fuzz/bin/schemathesis"


def main() -> None:
    options = arguments()
    with in_process() if options.in_process else local_cloud() as target:
        sys.exit(run(target, options))


@dataclass(frozen=True)
class Target:
    url: str
    key: str
    outside: str = ""
    """Where the pictures and the receiver of the document's examples really are."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=1000, help="of each operation; 1000")
    parser.add_argument("--in-process", action="store_true", help="without a local cloud")
    parser.add_argument("--operation", action="append", default=[], help="only this operationId")
    parser.add_argument("--phases", help="only these of schemathesis's; all")
    parser.add_argument("--seed", type=int, default=1, help="another one, other cases")
    return parser.parse_args()


@contextmanager
def in_process() -> Iterator[Target]:
    """The functions on moto, after the story that the document's examples are of."""
    logging.disable()  # What the functions tell would drown what is found.
    with stage() as here:
        gateway = told(here).gateway
        with opened(gateway) as door:
            yield Target(door.url, events.API_KEY)


@contextmanager
def local_cloud() -> Iterator[Target]:
    quick = {"speed": 100.0, "drawing": "plain"}
    with (
        Customer() as outside,
        LocalCloud.start(
            "fuzz",
            lambda text: print(text, file=sys.stderr),
            simulators={"fal": quick, "replicate": quick},
        ) as cloud,
    ):
        yield Target(cloud.api_url, cloud.api_key, outside.url("/"))


def run(target: Target, options: argparse.Namespace) -> int:
    """schemathesis's own exit code; prints what was sent and answered."""
    with tempfile.TemporaryDirectory(prefix="storyhook-fuzz-") as folder:
        document, report = Path(folder, "openapi.json"), Path(folder, "report.ndjson")
        document.write_text(json.dumps(for_fuzzing(target.outside)), encoding="utf-8")
        key_id, secret = own_key(target)
        command = [
            *(str(SCHEMATHESIS), "--config-file", str(HERE / "schemathesis.toml")),
            *("run", str(document), "--url", target.url),
            *("--header", f"Authorization: Bearer {secret}"),
            *("--max-examples", str(options.cases), "--seed", str(options.seed)),
            *("--report", "ndjson", "--report-ndjson-path", str(report)),
            *("--continue-on-failure", "--request-timeout", "60", "--suppress-health-check", "all"),
        ]
        if options.phases:
            command += ["--phases", options.phases]
        for each in options.operation:
            command += ["--include-operation-id", each]
        hooks = {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE), "FUZZ_KEY_ID": key_id}
        done = subprocess.run(command, check=False, env={**os.environ, **hooks})
        print(counted(report))
    return done.returncode


def own_key(target: Target) -> tuple[str, str]:
    """Id and secret of a key that the hooks keep from being revoked: without it, all is 401."""
    answer = httpx.post(
        f"{target.url.rstrip('/')}/keys",
        json={"name": "fuzz", "scopes": ["read", "write", "admin"]},
        headers={"Authorization": f"Bearer {target.key}"},
        timeout=60,
    ).raise_for_status()
    made = answer.json()
    return made["id"], made["secret"]


def counted(report: Path) -> str:
    """How many requests each operation got, in all phases, and with what they were answered."""
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for line in report.read_text(encoding="utf-8").splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for name, case in recorder.get("cases", {}).items():
            answer = recorder["interactions"].get(name, {}).get("response")
            if answer:
                sent, status = case["value"], answer["status_code"]
                name = f"{sent['method']} {sent['path']}" if status != 405 else "another method"
                found[name][status] += 1
    lines = [f"{'operation':46} requests  answers"]
    for name, answers in sorted(found.items(), key=lambda each: each[0].split()[::-1]):
        statuses = "  ".join(f"{status}: {count}" for status, count in sorted(answers.items()))
        lines.append(f"{name:46} {answers.total():8}  {statuses}")
    lines.append(f"{'all':46} {sum(each.total() for each in found.values()):8}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
