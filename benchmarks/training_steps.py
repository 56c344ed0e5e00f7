"""How long a step of training takes, on a batch of noise that lies ready."""

import time

import numpy as np
import torch

from dfsynth.datasets import PairBatch
from dfsynth.train.trainer import Trainer


def noise_batch(size: int, count: int, device: torch.device) -> PairBatch:
    """`count` pairs of size × size pixels with all that a loss may ask for."""
    image = torch.rand(count, 1, size, size, generator=torch.Generator().manual_seed(0)).to(device)
    return PairBatch(image, 0.3 * image, None, (image > 0.5).float(), torch.ones_like(image))


def step_seconds(trainer: Trainer, batch: PairBatch) -> float:
    """Takes one step."""
    started = time.perf_counter()
    trainer.train_step(batch, np.random.default_rng(0))
    if trainer.device.type == "cuda":
        torch.cuda.synchronize(trainer.device)
    return time.perf_counter() - started
