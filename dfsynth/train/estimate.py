"""What a training will need, known without running it: parameters, memory, time.

Networks are laid out in torch's fake tensors, which know shapes and hold no values, so that the
largest recipe is estimated in seconds.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from dfsynth.datasets import PairBatch
from dfsynth.devices import DTYPES
from dfsynth.models import TrainableNetwork
from dfsynth.train.families import family_of
from dfsynth.train.objective import Objective
from dfsynth.train.preparation import PreparedTraining
from dfsynth.train.processes import Processes
from dfsynth.train.recipe import Phase, Recipe, steps_an_epoch

_COPIES = 5
"""Of each weight: itself, gradient, two moments of Adam, moving average."""
_FLOAT_BYTES = 4
_TRIALS = 5
_TRIAL = (4, 32, 128)
"""Pairs, channels and side of the convolution whose speed stands for all."""


@dataclass(frozen=True, slots=True)
class TrainEstimate:
    """What a training needs, as if one process had all of the batch."""

    parameters_a_stage: tuple[int, ...]
    discriminator_parameters: int
    weights_bytes: int
    """With gradients, Adam's moments and the moving average."""
    activations_bytes: int
    """Kept for the backward pass where all stages are trained."""
    steps: int
    tflop: float
    """10¹² floating-point operations of all steps; a frozen stage counts its forward pass."""
    seconds: float
    """At the speed of one convolution, forward and backward, on this device: a rough estimate."""


@dataclass(frozen=True, slots=True)
class TrainPlan(TrainEstimate):
    """What `dfsynth train --dry-run` says."""

    recipe: Recipe
    pairs: Mapping[str, int]
    """In each group of patients."""


def plan_training(prepared: PreparedTraining) -> TrainPlan:
    """What a training would do and need; see `estimate_training`."""
    counts = {name: len(rows) for name, rows in prepared.indices.items()}
    estimate = asdict(estimate_training(prepared))
    return TrainPlan(**estimate, recipe=prepared.recipe, pairs=counts)


def estimate_training(prepared: PreparedTraining) -> TrainEstimate:
    """Lays the networks of a training out without values, and counts what they need."""
    recipe = prepared.recipe
    epoch_steps = steps_an_epoch(len(prepared.indices["train"]), recipe.batch)
    with FakeTensorMode():
        family = family_of(recipe.network)
        network = family.build(recipe.network)
        objective = family.objective(recipe, network, torch.device("cpu"), Processes())
        all_stages = tuple(range(recipe.network.stages))
        trained = {all_stages, *(_stages(phase) for phase in recipe.phase)}
        measured = {stages: _measure(network, objective, recipe, stages) for stages in trained}
    kept, _ = measured[all_stages]
    flop = sum(
        measured[_stages(phase)][1] * phase.total_steps(epoch_steps) for phase in recipe.phase
    )
    stage_sizes = tuple(_count(network.stage(m)) for m in range(recipe.network.stages))
    discriminator_size = _count(objective.discriminators)
    dtype = DTYPES[prepared.precision]
    return TrainEstimate(
        parameters_a_stage=stage_sizes,
        discriminator_parameters=discriminator_size,
        weights_bytes=_COPIES * _FLOAT_BYTES * (sum(stage_sizes) + discriminator_size),
        activations_bytes=kept * recipe.batch * dtype.itemsize // _FLOAT_BYTES,
        steps=sum(phase.total_steps(epoch_steps) for phase in recipe.phase),
        tflop=flop * recipe.batch / 1e12,
        seconds=flop * recipe.batch / _flop_a_second(prepared.device, dtype),
    )


def _measure(
    network: TrainableNetwork, objective: Objective[Any], recipe: Recipe, stages: tuple[int, ...]
) -> tuple[int, float]:
    """Bytes kept and operations of one pair, forward and backward, where `stages` are trained."""
    network.requires_grad_(False)
    for m in stages:
        network.stage(m).requires_grad_(True)
    batch = _one_pair(recipe)
    kept = 0

    def count(tensor: Tensor) -> Tensor:
        nonlocal kept
        kept += tensor.nbytes
        return tensor

    with (
        FlopCounterMode(display=False) as flops,
        torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor),
    ):
        outputs = objective.run(network, batch, np.random.default_rng(0), stages)
        terms = objective.terms(outputs, batch, stages)
        torch.stack(list(terms.values())).sum().backward()
    return kept, float(flops.get_total_flops())


def _stages(phase: Phase) -> tuple[int, ...]:
    """Those that it trains, from 0."""
    return tuple(m - 1 for m in phase.stages)


def _one_pair(recipe: Recipe) -> PairBatch:
    side = recipe.augmentation.crop or recipe.size
    image = torch.empty(1, 1, side, side)
    return PairBatch(image, image, None, image, image)


def _flop_a_second(device: torch.device, dtype: torch.dtype) -> float:
    """Of a 3 × 3 convolution, forward and backward: the fastest of a few."""
    pairs, channels, side = _TRIAL
    layer = nn.Conv2d(channels, channels, 3, padding=1).to(device, dtype)
    maps = torch.ones(pairs, channels, side, side, device=device, dtype=dtype)
    maps.requires_grad_(True)
    fastest = float("inf")
    for _ in range(_TRIALS):
        started = time.perf_counter()
        F.silu(layer(maps)).sum().backward()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        fastest = min(fastest, time.perf_counter() - started)
    return 3 * 2 * 9 * channels**2 * pairs * side**2 / fastest


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())
