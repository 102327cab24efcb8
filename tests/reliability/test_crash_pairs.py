"""Two deaths in one story, all pairs of it. `make campaign` has more stories."""

from tests.reliability import pairs, stories


def test_two_deaths_wherever_they_happen() -> None:
    [row] = pairs.run_pairs(lambda _: None, (stories.BY_NAME["fal"],))
    assert row.runs > 300
    assert row.wrong == []
