"""Whether a batch fits the device, known before any time is spent."""

from collections.abc import Callable

import numpy as np
import torch

from dfsynth.datasets import PairBatch
from dfsynth.errors import UsageError
from dfsynth.train.recipe import Recipe
from dfsynth.train.trainer import Trainer


def check_batch_fits(trainer: Trainer, recipe: Recipe) -> None:
    """Tries a step of all stages on a GPU; a CPU's memory is the system's to swap.

    Raises:
        UsageError: the batch does not fit; the message names the largest that does.
    """
    if trainer.device.type != "cuda":
        return
    batch = recipe.batch // trainer.world_size
    side = recipe.augmentation.crop or recipe.size
    largest = largest_batch(lambda n: _try(trainer, side, n), batch)
    torch.cuda.empty_cache()
    if largest < batch:
        advice = f"the largest that does is {largest * trainer.world_size}"
        if largest == 0:
            advice = "not even one does; use a smaller size or narrower widths"
        raise UsageError(
            f"batch = {recipe.batch} of {side}x{side} does not fit the memory of "
            f"{trainer.device}: {advice}"
        )


def largest_batch(attempt: Callable[[int], None], wanted: int) -> int:
    """Finds the largest batch up to `wanted` that `attempt` does without running out of memory."""
    if _works(attempt, wanted):
        return wanted
    good, bad = 0, wanted
    while bad - good > 1:
        middle = (good + bad) // 2
        if _works(attempt, middle):
            good = middle
        else:
            bad = middle
    return good


def _works(attempt: Callable[[int], None], batch: int) -> bool:
    try:
        attempt(batch)
    except torch.OutOfMemoryError:
        return False
    return True


def _try(trainer: Trainer, side: int, batch: int) -> None:
    """All that a step keeps at a time, without a step."""
    image = torch.zeros(batch, 1, side, side, device=trainer.device)
    trial = PairBatch(image, image, None, image, image)
    moments = torch.empty(trainer.moments_to_come, device=trainer.device)
    trainer.try_step(trial, np.random.default_rng(0))
    del moments
