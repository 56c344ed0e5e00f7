"""The best score of a run so far, and how long ago it was."""

import math
from dataclasses import dataclass, replace
from typing import Final, Self

_EARLY_PARTS: Final = (16, 8, 4, 2)


def is_early_validation(step: int, every_steps: int) -> bool:
    """Whether a run is validated after a step besides every `every_steps`.

    It is at a sixteenth, eighth, quarter and half of the way to the first validation, where that is
    16 steps or more: few pairs are learned by heart before it, and the best checkpoint would lie
    before the first that is looked at.
    """
    parts = _EARLY_PARTS if every_steps >= _EARLY_PARTS[0] else ()
    return step in [every_steps // part for part in parts]


@dataclass(frozen=True, slots=True)
class BestSoFar:
    """The best validation of a run, by which its checkpoint is chosen and a phase ends early."""

    score: float | None = None
    """Least validation loss; None before the first finite one."""
    validations_since: int = 0
    """Validations of the phase in hand since its last improvement."""

    def is_beaten_by(self, score: float) -> bool:
        """Whether `score` is finite and less than all before it."""
        return math.isfinite(score) and (self.score is None or score < self.score)

    def after(self, score: float, *, taxes_patience: bool = True) -> Self:
        """Gives the record after one more validation; the less its score (no unit), the better."""
        if self.is_beaten_by(score):
            return replace(self, score=score, validations_since=0)
        return replace(self, validations_since=self.validations_since + taxes_patience)

    def in_new_phase(self) -> Self:
        """Gives the record at the start of a phase, whose patience is whole again."""
        return replace(self, validations_since=0)
