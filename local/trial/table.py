"""docs/models.md: the catalogue, and what the trial of every model gave."""

from collections.abc import Iterable, Iterator
from typing import Any

from local.trial.cases import Result

Json = dict[str, Any]

_INTRODUCTION = """# Models

Made by `make models`, which asks every model of the catalogue for pictures on the local cloud and
writes this page. A model takes its id or any of its aliases; `GET /models` has all of this and the
options of each, `GET /models?sort=price` compares prices. [adding-a-model.md](adding-a-model.md)
shows how to add one.

Prices are what the sources say, none was checked live: **V** an official page, **S** a secondary
source, **NF** not found. The example is one picture from one reference of 1 MP, where the model
takes any. A price that is not known is never shown as 0.
"""
_TRIAL = """
## Every model, tried

Each model with 0, 1, 2 and its maximum + 1 characters, each with one reference. *Drawn by* differs
from the model where the scene needs the text or the edit model of its family. *Sent* is what the
simulated provider counted (an IP-adapter's starting picture too); references above the maximum are
left out, which the plan says, and their characters drawn from words. *Account* is the price by the
simulated provider's own books, which are kept apart from the catalogue.
"""


def page(models: Iterable[Json], results: Iterable[Result]) -> str:
    return "\n".join(
        [_INTRODUCTION, *_catalogue(models), *_aliases(models), _TRIAL, *_trials(results), ""]
    )


def _catalogue(models: Iterable[Json]) -> Iterator[str]:
    yield "| model | endpoint | references | example | grade | seconds | consistency | best for |"
    yield "|-|-|-|-:|-|-:|-|-|"
    for model in models:
        rule, price = model["references"], model["price"]
        endpoint = model["endpoint"].partition(":")[0]
        kind = f"{rule['kind']}, {rule['max']}" if rule["max"] else "none"
        yield (
            f"| `{model['id']}` | {model['provider']} `{endpoint}` | {kind} | "
            f"{_dollars(price['example']['cost'])} | {price['grade']} | "
            f"{model['typical_seconds']} | {model['consistency']} | {model['best_for']} |"
        )


def _aliases(models: Iterable[Json]) -> Iterator[str]:
    yield "\n## Names that the providers do not have\n"
    yield "They work, and the plan says where they lead.\n"
    for model in models:
        for name, note in model["alias_notes"].items():
            yield f"* `{name}` → `{model['id']}`: {note}"


def _trials(results: Iterable[Result]) -> Iterator[str]:
    yield "| model | given | outcome | drawn by | sent | picture | cost | account |"
    yield "|-|-:|-|-|-:|-|-:|-:|"
    for result in results:
        yield f"| `{result.case.model}` | {result.case.people} | {_outcome(result)} |"


def _outcome(result: Result) -> str:
    if result.prediction is None:
        return f"refused: {_first_sentence(result.refusal or '')} | | | | |"
    prediction, job = result.prediction, result.job or {}
    if prediction["status"] != "succeeded":
        error = prediction["error"] or {}
        return f"{prediction['status']}: {error.get('detail', '')} | | | | |"
    images = prediction["output"]["images"]
    sizes = ", ".join(f"{image['width']}×{image['height']}" for image in images)
    left = len(prediction["input"]["left_out"])
    outcome = "in S3" + (f", {left} left out" if left else "")
    return (
        f"{outcome} | `{prediction['model']}` | {job.get('reference_count', '?')} | {sizes} | "
        f"{_dollars(prediction['cost']['actual'])} | {_account(job)}"
    )


def _account(job: Json) -> str:
    return _dollars(job["price"]) if job.get("price_known", True) else "unknown"


def _dollars(amount: str | None) -> str:
    return "unknown" if amount is None else f"${float(amount):.4f}"


def _first_sentence(text: str) -> str:
    return text.split("; ")[0]
