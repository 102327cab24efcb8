"""Faults put into the code on purpose: for each, the campaign must name the broken promise.

A mutant replaces one exact text in one file of a temporary copy of the tree, never of the tree
itself, and runs a short campaign there. Were one unseen, the campaign would show nothing.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.fixtures.template import ROOT
from tests.reliability import tables
from tests.reliability.broken_code import FAULTS

_LAYER = "layers/storyhook/python"
_COPIED = (_LAYER, "tests/fixtures", "tests/reliability", "template.yaml")
_WORKERS = 2
_MAX_SECONDS = 600
# Soon over: no address that never takes a callback, and what hangs is not waited for for days.
_CALM: Mapping[str, float] = {"down": 0.0, "overdue": 0.0}
_HOURS = 8


@dataclass(frozen=True)
class Mutant:
    """`old` stands exactly once in `file` (below storyhook/) and becomes `new`."""

    what: str
    promise: str
    file: str
    old: str
    new: str
    mix: Mapping[str, float] = field(default_factory=dict)

    def apply(self, tree: Path) -> None:
        path = tree / _LAYER / "storyhook" / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.what}: {self.file} has its text {text.count(self.old)} times")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


MUTANTS = [Mutant(*fault) for fault in FAULTS]


def main() -> int:
    """Run all; 1 when one stays unseen."""
    nothing = Mutant("nothing at all", "", "", "", "")
    with ThreadPoolExecutor(_WORKERS) as pool:
        found = list(pool.map(_counts, [nothing, *MUTANTS]))
    rows = []
    unseen = 0
    for mutant, counts in zip([nothing, *MUTANTS], found, strict=True):
        broken = {name: count for name, count in counts.items() if count}
        seen = mutant.promise in broken if mutant.promise else not broken
        unseen += not seen
        others = ", ".join(f"{k} {n}" for k, n in broken.items() if k != mutant.promise) or "none"
        count = str(broken.get(mutant.promise, 0)) if mutant.promise else "-"
        verdict = "yes" if seen else "NO"
        rows.append(
            [mutant.what, mutant.file or "-", mutant.promise or "-", count, others, verdict]
        )
    head = ["broken on purpose", "in", "promise that must break", "times", "others", "as expected"]
    print(tables.plain((head, rows)))
    command = f"`make campaign ARGS=--mutants`: {len(MUTANTS)} mutants, {unseen} unexpected."
    table = tables.markdown((head, rows))
    tables.write("mutants", f"\n{command}\n\n{table}\n")
    return 1 if unseen else 0


def _counts(mutant: Mutant) -> dict[str, int]:
    """What a short campaign counts in a copy of the tree with this fault."""
    with tempfile.TemporaryDirectory(prefix="storyhook-mutant-") as name:
        tree = Path(name)
        for part in _COPIED:
            source = ROOT / part
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, tree / part, ignore=ignored)
            else:
                shutil.copy(source, tree / part)
        if mutant.old:
            mutant.apply(tree)
        mix = json.dumps({**_CALM, **mutant.mix})
        command = [sys.executable, "-m", "tests.reliability", "--json", "--seed", "7"]
        command += ["--predictions", "100", "--hours", str(_HOURS), "--mix", mix]
        done = subprocess.run(
            command,
            cwd=tree,
            env={**os.environ, "PYTHONPATH": f"{_LAYER}{os.pathsep}."},
            capture_output=True,
            text=True,
            timeout=_MAX_SECONDS,
            check=False,
        )
    print(f"{mutant.what}: done", flush=True)
    if not done.stdout:
        raise RuntimeError(f"{mutant.what}: the campaign itself failed:\n{done.stderr}")
    counts: dict[str, int] = json.loads(done.stdout)
    return counts
