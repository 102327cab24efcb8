"""python -m local.trial: every model of the catalogue, tried on a local cloud; docs/models.md.

make models
"""

import argparse
import io
import sys
from http import HTTPStatus
from pathlib import Path

import httpx
from PIL import Image
from rich.console import Console

from local.cloud import LocalCloud, StartFailed
from local.cloud.places import ROOT
from local.demo.listener import Listener
from local.trial.cases import Case, Result, Trial, cases, person, shipped
from local.trial.table import page

PAGE = Path("docs/models.md")
_SETTINGS = {"speed": 40.0, "drawing": "plain"}


def main() -> int:
    options = _arguments()
    console = Console(highlight=False)
    try:
        models, results = try_all(console)
    except StartFailed as problem:
        console.print(str(problem), style="red", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("interrupted; everything is stopped")
        return 130
    options.out.write_text(page(models, results), encoding="utf-8")
    bad = [result for result in results if result.troubles]
    for result in bad:
        case = f"{result.case.model} with {result.case.people}"
        console.print(f"{case}: {'; '.join(result.troubles)}", style="red", soft_wrap=True)
    console.print(f"{len(results)} cases, {len(bad)} not as they should be; see {options.out}")
    return 1 if bad else 0


def try_all(console: Console) -> tuple[list[dict[str, object]], list[Result]]:
    simulators = {"fal": _SETTINGS, "replicate": _SETTINGS}
    with (
        Listener(lambda _headers, _body: HTTPStatus.OK) as listener,
        LocalCloud.start("models", console.print, simulators=simulators) as cloud,
    ):
        headers = {"Authorization": f"Bearer {cloud.api_key}"}
        with httpx.Client(
            base_url=cloud.api_url, headers=headers, timeout=40, trust_env=False
        ) as api:
            models = shipped(api.get("/models").raise_for_status().json()["items"])
            wanted = cases(models)
            register(api, listener, max(case.people for case in wanted))
        console.print(f"{len(wanted)} cases of {len(models)} models")
        trial = Trial(
            cloud.api_url, cloud.api_key, {"fal": cloud.fal_url, "replicate": cloud.replicate_url}
        )
        return models, _by_model(trial, wanted, console)


def register(api: httpx.Client, listener: Listener, count: int) -> None:
    """So many characters, each with one reference of one megapixel."""
    for number in range(1, count + 1):
        body = {
            "id": person(number),
            "name": f"Person {number}",
            "description": "somebody in a coat",
            "reference_image_url": listener.serve(f"{number}.png", _picture(number)),
        }
        api.post("/characters", json=body).raise_for_status()


def _by_model(trial: Trial, wanted: list[Case], console: Console) -> list[Result]:
    """Some models at a time, so that there is something to see."""
    results: list[Result] = []
    for start in range(0, len(wanted), 24):
        results += trial.run(wanted[start : start + 24])
        console.print(f"{len(results)} of {len(wanted)} tried")
    return results


def _picture(number: int) -> bytes:
    file = io.BytesIO()
    colour = tuple(60 + number * factor % 160 for factor in (37, 61, 89))
    Image.new("RGB", (1024, 1024), colour).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.trial")
    parser.add_argument("--out", type=Path, default=ROOT / PAGE)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
