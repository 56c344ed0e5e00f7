"""What a build can know beforehand of maps and scores that will say less than they seem to."""

from collections.abc import Iterator
from typing import Final

from dfsynth.records import GeneratorFacts
from dfsynth.store.build_record import Fingerprint

_LEAST_SHARE: Final = 0.5
"""Of the sides that a checkpoint was trained at."""


def cautions(held: Fingerprint, facts: GeneratorFacts) -> Iterator[str]:
    """A line for each choice of a build that leaves something unknown."""
    if held.mc == "full" and held.mc_samples == 1:
        yield (
            "warning: one sample an image says nothing of epistemic uncertainty: its map is 0 and "
            "its scores are null; use --mc-samples 2 or more, or --mc fast where there are members"
        )
    if any(
        side < _LEAST_SHARE * trained for side, trained in zip(held.size, facts.grid, strict=True)
    ):
        risk = (
            "it may find no lung (the flag no_lung), and scores of the lung are then null"
            if facts.has_lung
            else "its maps may be far from what it learned to make"
        )
        yield (
            f"warning: a grid of {held.size[0]}x{held.size[1]} is much smaller than the "
            f"{facts.grid[0]}x{facts.grid[1]} that {facts.name} was trained at: {risk}"
        )
