"""Any order of anything; `make campaign` lives longer."""

from tests.reliability.life import live


def test_no_order_of_events_breaks_a_life() -> None:
    live(examples=100, steps=30)
