"""One case: a model asked for a picture with so many references, and what became of it."""

import hashlib
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from storyhook.domain import catalogue

Json = dict[str, Any]

_SECONDS = 90.0
_PAUSE = 0.4
_SIDE_BY_SIDE = 6
_ASPECT_RATIO = "1:1"


@dataclass(frozen=True)
class Case:
    model: str
    people: int

    @property
    def prompt(self) -> str:
        return f"Trial of {self.model} with {self.people}"


@dataclass(frozen=True)
class Result:
    """`refusal` is the problem's detail when nothing was sent; else the finished prediction.

    `stored` says whether the picture in our bucket has the SHA-256 that the row names; `job` is
    the provider's own account of it.
    """

    case: Case
    refusal: str | None = None
    prediction: Json | None = None
    stored: bool = False
    job: Json | None = None

    @property
    def status(self) -> str:
        return "refused" if self.prediction is None else str(self.prediction["status"])

    @property
    def troubles(self) -> list[str]:
        """What is not as it should be: a picture in our bucket, or a refusal that cost nothing."""
        if self.prediction is None:
            return [] if self.refusal else ["refused without a reason"]
        if self.status != "succeeded":
            return [f"{self.status}: {self.prediction['error']}"]
        if self.job is None:
            return ["the provider has no such job"]
        troubles = [] if self.stored else ["the picture in the bucket is another"]
        account = self.job["price"] if self.job["price_known"] else None
        actual = self.prediction["cost"]["actual"]
        costs = [None if amount is None else Decimal(amount) for amount in (actual, account)]
        if costs[0] != costs[1]:
            troubles.append(f"cost {actual}, by the provider's books {account}")
        return troubles


def shipped(models: Iterable[Json]) -> list[Json]:
    """Without a user's own entries, of which the simulated providers know nothing."""
    path = Path(catalogue.__file__).with_name(catalogue.SOURCES[0])
    ids = catalogue.read(path)["models"]
    return [model for model in models if model["id"] in ids]


def cases(models: Iterable[Json]) -> list[Case]:
    """Each model with 0, 1, 2 and its maximum + 1 references."""
    return [
        Case(model["id"], people)
        for model in models
        for people in sorted({0, 1, 2, model["references"]["max"] + 1})
    ]


def person(number: int) -> str:
    return f"person-{number}"


@dataclass(frozen=True)
class Trial:
    """`jobs` gives a provider's accepted jobs by their webhook's prediction id."""

    api_url: str
    api_key: str
    simulators: Mapping[str, str]

    def run(self, wanted: list[Case]) -> list[Result]:
        headers = {"Authorization": f"Bearer {self.api_key}"}
        with (
            httpx.Client(
                base_url=self.api_url, headers=headers, timeout=40, trust_env=False
            ) as api,
            httpx.Client(timeout=40, trust_env=False) as web,
            ThreadPoolExecutor(_SIDE_BY_SIDE) as pool,
        ):
            finished = list(pool.map(partial(self._one, api, web), wanted))
            jobs = self._jobs(web)
        return [self._with_job(result, jobs) for result in finished]

    def _one(self, api: httpx.Client, web: httpx.Client, case: Case) -> Result:
        body = {
            "model": case.model,
            "prompt": case.prompt,
            "characters": [person(n) for n in range(1, case.people + 1)],
            "aspect_ratio": _ASPECT_RATIO,
            "seed": 12345,
        }
        answer = api.post("/predictions", json=body)
        if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            return Result(case, refusal=answer.json()["detail"])
        prediction = answer.raise_for_status().json()
        deadline = time.monotonic() + _SECONDS
        while prediction["status"] in ("queued", "running") and time.monotonic() < deadline:
            time.sleep(_PAUSE)
            prediction = api.get(prediction["urls"]["self"]).raise_for_status().json()
        return Result(case, prediction=prediction, stored=_is_stored(web, prediction))

    def _jobs(self, web: httpx.Client) -> dict[str, Json]:
        found = {}
        for url in self.simulators.values():
            rows = web.get(f"{url}/_control/predictions").raise_for_status().json()
            for row in rows["predictions"]:
                found[row["id"]] = row
        return found

    def _with_job(self, result: Result, jobs: Mapping[str, Json]) -> Result:
        if result.prediction is None:
            return result
        job = jobs.get(result.prediction["provider_id"])
        return Result(result.case, None, result.prediction, result.stored, job)


def _is_stored(web: httpx.Client, prediction: Json) -> bool:
    images = (prediction["output"] or {}).get("images", [])
    digests = [hashlib.sha256(web.get(image["url"]).content).hexdigest() for image in images]
    return bool(images) and digests == [image["sha256"] for image in images]
