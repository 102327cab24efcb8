"""Decides which faults hit a job: by rule, or by a repeatable throw of the dice."""

import random
from collections import Counter

from local.simulators.settings import FAULTS, Settings


class FaultPicker:
    """The dice depend on the seed, the job and how often the same job came before.

    They do not depend on the order in which different jobs arrive, so that a run with
    many jobs at once goes wrong in the same places each time, and a retry can succeed.
    """

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._used: Counter[tuple[str, str]] = Counter()

    def pick(self, settings: Settings, endpoint: str, prompt: str, seed: object) -> frozenset[str]:
        fingerprint = f"{endpoint}\n{seed}\n{prompt}"
        nth = self._seen[fingerprint]
        self._seen[fingerprint] += 1
        picked = {
            fault
            for fault in FAULTS
            if hits(
                getattr(settings.faults, fault), f"{settings.seed}\n{fault}\n{nth}\n{fingerprint}"
            )
        }
        return frozenset(picked | self._by_rule(settings, prompt))

    def clear(self) -> None:
        self._seen.clear()
        self._used.clear()

    def _by_rule(self, settings: Settings, prompt: str) -> set[str]:
        picked = set()
        for rule in settings.rules:
            key = (rule.match_prompt, rule.fault)
            if rule.match_prompt not in prompt:
                continue
            if rule.times is not None and self._used[key] >= rule.times:
                continue
            self._used[key] += 1
            picked.add(rule.fault)
        return picked


def hits(probability: float, dice: str) -> bool:
    return probability > 0 and random.Random(dice).random() < probability
