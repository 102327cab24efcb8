"""What `make deploy` says before it asks."""

import re
from pathlib import Path

from tests.bench import prices
from tests.fixtures import template
from tools import deploy

ROOT = Path(__file__).resolve().parents[2]


def test_it_names_what_will_be_there() -> None:
    text = deploy.contents((ROOT / "template.yaml").read_text(encoding="utf-8"))
    functions = len(template.functions())
    assert text.startswith(f"{functions} functions, 1 table, 1 bucket, 6 queues, 1 state machine")
    assert not re.search(r"\b0 ", text)


def test_it_names_the_price_of_waiting() -> None:
    assert f"{prices.idle_beyond_free():.2f}" == deploy.IDLE_USD


def test_the_table_of_costs_in_the_docs_is_what_is_reckoned() -> None:
    table = prices.month_table(0, 1_000, 1_000_000)
    assert table in (ROOT / "docs/operations.md").read_text(encoding="utf-8")
