"""Any order of anything; `make campaign` has more and longer lives."""

from tests.reliability.life import live


def test_no_order_of_events_breaks_a_life() -> None:
    live(examples=20, steps=30)
