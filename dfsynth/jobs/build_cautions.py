"""What a build can know beforehand of maps and scores that will say less than they seem to."""

from collections.abc import Iterable, Iterator
from typing import Final

from dfsynth.jobs.image_rows import Prepared
from dfsynth.jobs.model_inputs import Outcome
from dfsynth.progress import Progress
from dfsynth.records import BEYOND_RANGE, GeneratorFacts, IntensityRange
from dfsynth.store.build_record import Fingerprint

_LEAST_SHARE: Final = 0.5
"""Of the sides that a checkpoint was trained at."""


def cautions(held: Fingerprint, facts: GeneratorFacts) -> Iterator[str]:
    """A line for each choice of a build that leaves something unknown."""
    if facts.members == 1 and not facts.has_dropout:
        yield (
            f"warning: {facts.name} is one network without dropout: its map of epistemic "
            "uncertainty is 0 and its scores are null; several that are joined as members differ"
        )
    elif held.mc == "full" and held.mc_samples == 1:
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


class UnitCaution:
    """Says once that an input's values are far from those that the network knows."""

    def __init__(self, facts: GeneratorFacts, progress: Progress) -> None:
        self._facts = facts
        self._progress = progress
        self._said = False

    def over(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        """The same outcomes; the first input with the flag is told of before its maps are made."""
        for outcome in outcomes:
            if not self._said and isinstance(outcome, Prepared):
                self._look_at(outcome)
            yield outcome

    def _look_at(self, outcome: Prepared) -> None:
        known = self._facts.intensity
        if BEYOND_RANGE in outcome.ready.flags and isinstance(known, IntensityRange):
            self._said = True
            self._progress.message(
                f"warning: {outcome.item.image_id} is far from the {known.low:g} to {known.high:g} "
                f"(unit {known.unit}) that {self._facts.name} knows, and may be in another unit, "
                "as may others: their rows have the flag beyond_range"
            )
