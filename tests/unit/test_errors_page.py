"""docs/errors.md has every type of problem, as the code answers it, and no other."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module

import storyhook
from storyhook.domain.errors import StoryhookError
from storyhook.domain.outcome import RULES
from storyhook.http.problems import status_of
from tests.fixtures.template import ROOT
from tools.pages import errors_page


def rows(heading: str) -> dict[str, tuple[str, str]]:
    """By slug, the second and third column of the table under a heading."""
    return {slug: (row.second, row.title) for slug, row in errors_page(heading).items()}


def kinds(parent: type[StoryhookError] = StoryhookError) -> Iterator[type[StoryhookError]]:
    for kind in parent.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_each_row_says_what_to_do_and_is_there_once() -> None:
    page = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    both = [errors_page(heading) for heading in ("Of a request", "Of a prediction")]
    assert sum(map(len, both)) == page.count("\n| `")
    for row in (row for table in both for row in table.values()):
        assert row.what.endswith(".")


def test_each_problem_has_its_row() -> None:
    for module in pkgutil.walk_packages(storyhook.__path__, "storyhook."):
        import_module(module.name)
    ours = [kind for kind in kinds() if kind.__module__.startswith("storyhook.")]
    made = {kind.slug: (str(status_of(kind)), kind.title) for kind in ours}
    assert len(made) == len(ours), "each error has a slug of its own"
    assert rows("Of a request") == made


def test_each_failure_of_a_prediction_has_its_row() -> None:
    made = {
        kind.value: ("yes" if rule.retryable else "no", rule.title) for kind, rule in RULES.items()
    }
    assert rows("Of a prediction") == made


def test_the_rows_stand_in_the_order_of_their_statuses() -> None:
    statuses = [status for status, _ in rows("Of a request").values()]
    assert statuses == sorted(statuses)
