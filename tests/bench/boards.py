"""Wall time of whole boards on a warm local cloud, against one scene's provider time."""

import statistics
import time
from collections.abc import Callable
from datetime import datetime

from tests.bench.report import Section, verdict
from tests.e2e.support import Caller, Json, Simulator

type Progress = Callable[[str], None]

PROVIDER_SECONDS = 10.0
SIZES = {1: 1.15, 10: 1.15, 40: 1.5}
REPEATS, QUICK_REPEATS = 3, 1
WARM_UP_SECONDS = 1.0
_PATIENCE = 120.0


def measure(caller: Caller, fal: Simulator, progress: Progress, *, quick: bool) -> Section:
    repeats = QUICK_REPEATS if quick else REPEATS
    progress("boards: warm up")
    fal.configure(latency_seconds=WARM_UP_SECONDS)
    for _ in range(2):
        run(caller, max(SIZES))
    fal.configure(latency_seconds=PROVIDER_SECONDS)
    taken: dict[int, list[float]] = {size: [] for size in SIZES}
    for number in range(1, repeats + 1):
        for size in SIZES:
            progress(f"boards: {size} scenes, {number} of {repeats}")
            taken[size].append(run(caller, size))
    return _section(taken)


def run(caller: Caller, size: int) -> float:
    """Seconds from the request to the board's own end."""
    began = time.time()
    answer = caller.post("/storyboards", board(size))
    answer.raise_for_status()
    done = _finished(caller, answer.headers["location"])
    if done["progress"]["succeeded"] != size:
        raise RuntimeError(f"a board of {size} ended as {done['progress']}")
    return datetime.fromisoformat(done["completed_at"]).timestamp() - began


def board(size: int, **more: object) -> Json:
    scenes = [{"description": f"A fox crosses field {n}"} for n in range(1, size + 1)]
    return {"title": "Benchmark", "model": "flux-2-pro", "scenes": scenes, **more}


def _finished(caller: Caller, path: str) -> Json:
    """Asks seldom: each question costs the machine that is being measured."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        time.sleep(2)
        found: Json = caller.get(path).json()
        if found["status"] not in ("queued", "running"):
            return found
    raise TimeoutError(f"{path} took more than {_PATIENCE} seconds")


def _section(taken: dict[int, list[float]]) -> Section:
    rows = []
    for size, seconds in taken.items():
        ratio = statistics.median(seconds) / PROVIDER_SECONDS
        rows.append(
            (
                str(size),
                f"{statistics.median(seconds):.1f}",
                f"{min(seconds):.1f} to {max(seconds):.1f}",
                f"{ratio:.2f}",
                *verdict(ratio, SIZES[size]),
            )
        )
    return Section(
        "Boards",
        f"Wall time from `POST /storyboards` to the board's end on a warm local cloud, where the "
        f"provider takes {PROVIDER_SECONDS:g} seconds for each picture, as many side by side as "
        f"are asked for. Medians of {len(next(iter(taken.values())))}.",
        ("scenes", "seconds", "lowest to highest", "ratio to one scene", "budget", ""),
        rows,
    )
