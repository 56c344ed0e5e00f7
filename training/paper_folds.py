"""Patients dealt into folds, so that each is tested once, by networks that never saw them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dfsynth.datasets.store_pairs import StorePairs
from dfsynth.errors import UsageError
from dfsynth.records import Split

_HELD_SHARE = 0.1
"""Of the patients that are not tested: so many validate, and as many more calibrate, at least one
each."""


@dataclass(frozen=True, slots=True)
class Fold:
    """One way to deal the patients."""

    number: int
    """From 0."""
    count: int
    """Folds there are."""
    patients: int | None = None
    """How many patients train at most: those of few are among those of many. None: all."""

    @property
    def slug(self) -> str:
        """In names of files."""
        few = "" if self.patients is None else f"-p{self.patients}"
        return f"f{self.number}{few}"

    def groups(self, patients: Sequence[str]) -> dict[str, Split]:
        """Patient → group; patients who are left over are not in it.

        Raises:
            UsageError: too few patients for all groups, or fewer than should train.
        """
        names = sorted(set(patients))
        order = [names[i] for i in np.random.default_rng(0).permutation(len(names))]
        found: dict[str, Split] = dict.fromkeys(order[self.number :: self.count], "test")
        others = [name for name in order if name not in found]
        # Another fold's validation patients are not this one's.
        turned = others[self.number :] + others[: self.number]
        held = max(round(_HELD_SHARE * len(turned)), 1)
        training = turned[2 * held :]
        if not found or len(training) < (self.patients or 1):
            raise UsageError(
                f"{len(names)} patients in {self.count} folds leave {len(training)} to train; "
                f"expected {self.patients or 1} or more: fewer folds, or more patients"
            )
        found |= dict.fromkeys(turned[:held], "val")
        found |= dict.fromkeys(turned[held : 2 * held], "calibration")
        return found | dict.fromkeys(training[: self.patients], "train")


def deal(source: StorePairs, fold: Fold) -> StorePairs:
    """The pairs of the patients of a fold, each in its group.

    Raises:
        UsageError: too few patients.
    """
    groups = fold.groups([row.patient_id for row in source.rows])
    kept = [i for i, row in enumerate(source.rows) if row.patient_id in groups]
    rows = tuple(replace(source.rows[i], split=groups[source.rows[i].patient_id]) for i in kept)
    return replace(source, rows=rows, manifest=source.manifest.take(kept))
