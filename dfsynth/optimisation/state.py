"""Nested states as one flat mapping of tensors, which is what safetensors keeps."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def flatten_state(parts: Mapping[str, Mapping[Any, Any]]) -> dict[str, Tensor]:
    """Joins nested mappings into one: {"a": {0: {"b": tensor}}} → {"a.0.b": tensor}.

    Every tensor, of any shape, is a copy on the CPU; numbers become tensors without dimensions.
    """
    flat: dict[str, Tensor] = {}
    for name, part in parts.items():
        for key, value in part.items():
            if isinstance(value, Mapping):
                flat |= flatten_state({f"{name}.{key}": value})
            elif isinstance(value, Tensor):
                flat[f"{name}.{key}"] = value.detach().cpu().contiguous().clone()
            else:
                flat[f"{name}.{key}"] = torch.tensor(value)
    return flat


def state_part(state: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The entries of a flat state below `name`, without that prefix; tensors of any shape."""
    prefix = f"{name}."
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def restore_optimiser(optimiser: torch.optim.Optimizer, part: Mapping[str, Tensor]) -> None:
    """Gives an optimiser back what it kept of each parameter; its options stay its own.

    Args:
        optimiser: a new one over the same parameters.
        part: the "state" of its `state_dict`, flat: "0.exp_avg" (of a parameter's shape),
            "0.step" (a scalar), ….

    Raises:
        ValueError: a key names no parameter by its number, or something is kept of one parameter
            and not of another.
    """
    entries: dict[int, dict[str, Tensor]] = {}
    for key, value in part.items():
        index, name = key.split(".", 1)
        entries.setdefault(int(index), {})[name] = value
    if len({frozenset(held) for held in entries.values()}) > 1:
        raise ValueError("the kept state lacks something of one parameter that it has of another")
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": entries, "param_groups": groups})
