"""Virtual phase stepping: vibration and drift step the fringe from rotation to rotation."""

from collections.abc import Iterable

from dfsynth.simulation.dark_field_ct.acquisition import Exposure
from dfsynth.simulation.dark_field_ct.retrieval import FringeSums, fringe_products


def step_over_rotations(first: FringeSums, others: Iterable[Exposure]) -> FringeSums:
    """Sums of the `first` rotation and the `others`, shot by shot, for one fit over all of them.

    At one angle the object is the same in every rotation, so that nothing of it can be taken for
    fringe. Rotations are added one by one; no more than one is held.
    """
    total, count = first.sums.clone(), first.count
    for exposure in others:
        for row, product in zip(total, fringe_products(exposure), strict=True):
            row.add_(product)
        count += 1
    return FringeSums(total, count)
