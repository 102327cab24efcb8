"""Seeds by rule: the same board again has the same seeds."""

MAX_SEED = 2**31 - 1
_SCENE_STEP = 1000


def scene_seed(base: int, position: int) -> int:
    """The seed of a scene (counted from 1) in a board with the seed `base`."""
    return (base + (position - 1) * _SCENE_STEP) % (MAX_SEED + 1)


def candidate_seed(seed: int, number: int) -> int:
    """The seed of a candidate (counted from 1) of a scene with the seed `seed`."""
    return (seed + number - 1) % (MAX_SEED + 1)
