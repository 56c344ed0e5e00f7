"""The best score of a run so far, and how long ago it was."""

import math
from dataclasses import dataclass, replace
from typing import Self


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

    def after(self, score: float) -> Self:
        """Gives the record after one more validation; the less its score (no unit), the better."""
        if self.is_beaten_by(score):
            return replace(self, score=score, validations_since=0)
        return replace(self, validations_since=self.validations_since + 1)

    def in_new_phase(self) -> Self:
        """Gives the record at the start of a phase, whose patience is whole again."""
        return replace(self, validations_since=0)
