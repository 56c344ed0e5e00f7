"""The learning rate of each step."""

import math

from dfsynth.train.recipe import Optimiser, Phase


def learning_rate(options: Optimiser, phase: Phase, step: int, epoch_steps: int) -> float:
    """Computes the learning rate of a step, counted within its phase from 0.

    `epoch_steps` is how many steps a pass over the training pairs takes. The schedule `cosine` is
    that of Loshchilov & Hutter, ICLR 2017, equation 5, without restarts and down to 0.
    """
    rise = min(1.0, (step + 1) / (options.warm_up_steps + 1))
    if options.schedule == "cosine":
        fall = 0.5 * (1 + math.cos(math.pi * step / phase.total_steps(epoch_steps)))
    elif options.schedule == "step":
        fall = options.schedule_gamma ** (step // (options.schedule_epochs * epoch_steps))
    else:
        fall = 1.0
    return phase.learning_rate * rise * fall
