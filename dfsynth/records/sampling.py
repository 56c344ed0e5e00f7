"""The ways in which the predictive distribution of an image is sampled."""

from typing import Final, Literal, TypeAlias, get_args

MonteCarloMode: TypeAlias = Literal["full", "fast"]
"""`full`: every sample goes through every stage. `fast`: one pass of each member, no dropout."""
MONTE_CARLO_MODES: Final[tuple[MonteCarloMode, ...]] = get_args(MonteCarloMode)
