"""CPU of a cold start, per function, on the built artefacts.

Each measurement is a process of its own: the base interpreter without any site-packages, the
function's folder and the built layers on its path, as in Lambda. Rounds are interleaved and each
case is divided by the baseline of its own round, so that a busy neighbour hits both alike.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.cloud import environments
from local.cloud.places import ROOT, SAM, Places, host_architecture
from tests.bench import cold
from tests.bench.report import Section, verdict
from tests.fixtures import template

type Progress = Callable[[str], None]

ROUNDS, QUICK_ROUNDS = 11, 3
BUDGETS = {"webhook": 1.6, "create_prediction": 2.0, "submit": 2.0}
BASELINE = "baseline"

# Not read by anything that is measured, but it must be there and look like what it is.
_VALUES = {
    "API_URL": "https://api.example.com",
    "FAL_QUEUE_URL": "https://queue.fal.run",
    "FAL_JWKS_URL": "https://rest.fal.ai/.well-known/jwks.json",
    "REPLICATE_URL": "https://api.replicate.com",
}
_AWS = {
    "AWS_REGION": environments.REGION,
    "AWS_DEFAULT_REGION": environments.REGION,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_SESSION_TOKEN": "test",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
}


def measure(progress: Progress, *, quick: bool) -> Section:
    rounds = QUICK_ROUNDS if quick else ROUNDS
    places = Places("bench")
    progress("start-up: sam build")
    build(places)
    with _environment(places.build) as environment:
        for case in cold.CASES:  # once, so that no round pays for reading files from the disk
            environment.cpu(case)
        taken: list[dict[str, float]] = []
        for number in range(1, rounds + 1):
            progress(f"start-up: round {number} of {rounds}")
            taken.append({case: environment.cpu(case) for case in cold.CASES})
            # The baseline once more, at the other end of its round.
            taken[-1][BASELINE] = (taken[-1][BASELINE] + environment.cpu(BASELINE)) / 2
    return _section(taken)


def build(places: Places) -> None:
    """What `make up` would deploy here, as `local.cloud` builds it."""
    places.folder.mkdir(parents=True, exist_ok=True)
    command = [SAM, "build", "--config-env", "local", "--build-dir", places.build]
    command += ["--cache-dir", places.build_cache]
    command += ["--parameter-overrides", f"Architecture={host_architecture()}"]
    nowhere = "http://127.0.0.1:1"  # a build asks nothing of any cloud
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=environments.sam(nowhere, places.folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"sam build failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


@dataclass(frozen=True)
class _Environment:
    """`functions` are copies of the sources: as deployed, without bytecode."""

    functions: Path
    layers: tuple[Path, ...]

    def cpu(self, case: str) -> float:
        """CPU seconds of one fresh process."""
        function = case.partition(" ")[0]
        known = (self.functions / function).is_dir()
        own = [self.functions / function] if known else []
        variables = template.variables(function) if known else set()
        done = subprocess.run(
            # -S: no site-packages; -P: not this folder; -B: Lambda's folders are read-only.
            [str(Path(sys.executable).resolve()), *["-s", "-S", "-P", "-B"], cold.__file__, case],
            cwd=self.functions,
            env={
                "PATH": os.defpath,
                "HOME": str(self.functions),
                "LANG": "C.UTF-8",
                "TZ": "UTC",
                **{name: _VALUES.get(name, "some-value") for name in variables},
                **_AWS,
                "LOG_LEVEL": "INFO",
                "PYTHONPATH": os.pathsep.join(map(str, [*own, *self.layers])),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"cold start of {case!r} failed:\n{done.stderr}")
        return float(done.stdout)


@contextmanager
def _environment(built: Path) -> Iterator[_Environment]:
    layers = tuple(built / name / "python" for name in ("DependenciesLayer", "StoryhookLayer"))
    with tempfile.TemporaryDirectory(prefix="storyhook-bench-") as folder:
        functions = Path(folder) / "functions"
        shutil.copytree(ROOT / "functions", functions, ignore=shutil.ignore_patterns("__pycache__"))
        yield _Environment(functions, layers)


def _section(taken: list[dict[str, float]]) -> Section:
    rows = []
    for case in cold.CASES:
        seconds = statistics.median(one[case] for one in taken)
        ratios = sorted(one[case] / one[BASELINE] for one in taken)
        ratio = statistics.median(ratios)
        rows.append(
            (
                _NAMES.get(case, case),
                f"{seconds * 1000:.0f}",
                f"{ratio:.2f}",
                f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
                *verdict(ratio, BUDGETS.get(case.partition(" ")[0])),
            )
        )
    return Section(
        "Start-up",
        "CPU of a cold start: import, wiring, and every client of the happy path. Ratios to a "
        f'process that only makes `boto3.client("dynamodb")` from the same build; medians of '
        f"{len(taken)} fresh processes.",
        ("function", "CPU ms", "ratio", "lowest to highest", "budget", ""),
        rows,
        [
            "webhook: DynamoDB, S3, and Step Functions or SQS; fal adds PyNaCl, Replicate SSM.",
            "submit: DynamoDB, S3, SSM and the provider's SDK; create_prediction: request models.",
            "cancel: as submit, and Step Functions.",
            "api: resolver, DynamoDB, S3, Step Functions. authorizer: DynamoDB.",
            "callback: DynamoDB, SSM, the system's certificates. assemble: DynamoDB, S3, SQS.",
            "reconcile, idle: DynamoDB, which is all that most minutes need; busy: all of it.",
        ],
    )


_NAMES = {"bare": "(the interpreter alone)", BASELINE: 'boto3.client("dynamodb")'}
