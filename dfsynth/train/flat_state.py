"""Nested states as one flat mapping of tensors, which is what safetensors keeps."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def join_state(parts: Mapping[str, Mapping[Any, Any]]) -> dict[str, Tensor]:
    """{"a": {"b": 1, 0: {"c": tensor}}} → {"a.b": tensor, "a.0.c": tensor}, on the CPU."""
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
    """The entries under `name`, without it."""
    prefix = f"{name}."
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
