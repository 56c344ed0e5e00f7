"""What every training loop keeps between steps: flat states, moving averages, optimiser states."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def join_state(parts: Mapping[str, Mapping[Any, Any]]) -> dict[str, Tensor]:
    """Flattens nested states into one mapping of tensors, which is what safetensors keeps.

    `{"a": {"b": 1, 0: {"c": tensor}}}` becomes `{"a.b": tensor(1), "a.0.c": tensor}`. Tensors keep
    their shapes and are contiguous copies on the CPU.
    """
    flat: dict[str, Tensor] = {}
    for name, part in parts.items():
        for key, value in part.items():
            if isinstance(value, Mapping):
                flat |= join_state({f"{name}.{key}": value})
            elif isinstance(value, Tensor):
                flat[f"{name}.{key}"] = value.detach().cpu().contiguous().clone()
            else:
                flat[f"{name}.{key}"] = torch.tensor(value)
    return flat


def part_of(state: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """Selects the entries of a joined state under `name`, their names without that prefix."""
    prefix = f"{name}."
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def restore_optimiser(optimiser: torch.optim.Optimizer, state: Mapping[str, Tensor]) -> None:
    """Gives an optimiser its moments back.

    `state` is the part of a joined state that `optimiser.state_dict()["state"]` became. The
    optimiser must have the same weights in the same order; its options stay as they are.
    """
    entries: dict[int, dict[str, Tensor]] = {}
    for key, value in state.items():
        index, entry = key.split(".", 1)
        entries.setdefault(int(index), {})[entry] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": entries, "param_groups": groups})


def averaged_model(network: nn.Module, decay: float) -> AveragedModel:
    """Starts an exponential moving average of a network's weights.

    `decay` in [0, 1) is approached from below, so that the first weights, which are noise, are
    soon forgotten.
    """
    return AveragedModel(network, avg_fn=_blend_with(decay))


def _blend_with(most: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    def blend(average: Tensor, weight: Tensor, steps: Tensor | int) -> Tensor:
        seen = int(steps)
        decay = min(most, (1 + seen) / (10 + seen))
        # Written so that weights that rest keep every bit.
        return average + (1 - decay) * (weight - average)

    return blend
