"""The bytes of `weights.safetensors`, of a network of any kind; nothing is unpickled."""

from collections.abc import Mapping

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn


def encode_weights(network: nn.Module) -> bytes:
    """The weights of a network, tensors of any shape, in float16 as a safetensors file.

    Running statistics keep their float32: they are few, and variances leave float16's range.

    Raises:
        ValueError: a weight is no finite number in float16, or a statistic is not finite.
    """
    statistics = {name for name, _ in network.named_buffers()}
    state = {
        name: (tensor if name in statistics else tensor.half()).contiguous()
        for name, tensor in network.state_dict().items()
    }
    if beyond := _not_finite(state):
        raise ValueError(f"weights that are no finite float16 numbers: {', '.join(beyond)}")
    return save(state)


def decode_weights(raw: bytes, name: str) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name, in float32 and in their shapes.

    Args:
        raw: the whole file.
        name: what the message calls the file.

    Raises:
        ValueError: no safetensors file, or numbers that no training leaves behind; the message
            says in half a sentence what the file is.
    """
    try:
        state = load(raw)
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"{name} is damaged or no safetensors file") from error
    if strange := _not_finite(state):
        raise ValueError(
            f"{name} is damaged: {len(strange)} of its {len(state)} tensors hold something else "
            "than finite numbers"
        )
    return {name: weight.float() for name, weight in state.items()}


def _not_finite(state: Mapping[str, Tensor]) -> list[str]:
    """Names of the tensors that hold anything but finite floating-point numbers."""
    return [
        name
        for name, weight in state.items()
        if not weight.is_floating_point() or not torch.isfinite(weight.float()).all()
    ]
