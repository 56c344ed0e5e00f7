"""Heads for trust ⇄ the bytes of `scores.safetensors`: arrays and names, nothing unpickled."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from dfsynth.errors import CheckpointError
from dfsynth.trust.heads import OUTPUTS, Perceptron, Projection, TrustHeads

_VERSION: Final = 1
_ARRAYS: Final = (
    "flag_thresholds",
    "centre",
    "precision",
    "distances",
    "ood_offset",
    "margin_edges",
    "margins",
)
_PROJECTION: Final = ("figure_mean", "figure_scale", "layout_mean", "layout_scale", "components")
Array = NDArray[np.float32]


def encode_heads(heads: TrustHeads) -> bytes:
    """Writes heads as a safetensors file; the flags' names are kept as bytes of text."""
    arrays: dict[str, NDArray[Any]] = {"version": np.array([_VERSION], np.int32)}
    arrays["flags"] = np.frombuffer(",".join(heads.flags).encode(), np.uint8)
    arrays |= {name: getattr(heads, name) for name in _ARRAYS}
    arrays |= {f"projection.{n}": getattr(heads.projection, n) for n in _PROJECTION}
    for name, network in (("error", heads.error), ("kinds", heads.kinds)):
        for layer, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
            arrays |= {f"{name}.weight.{layer}": weight, f"{name}.bias.{layer}": bias}
    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def decode_heads(raw: bytes, name: str) -> TrustHeads:
    """Reads the heads of a checkpoint; `name` is what messages call the file.

    Raises:
        CheckpointError: it is damaged, of another version, or its arrays do not fit each other.
    """
    try:
        arrays = load(raw)
        if int(arrays["version"][0]) != _VERSION:
            raise CheckpointError(
                f"{name} is of version {int(arrays['version'][0])}; this version of dfsynth reads "
                f"{_VERSION}; get the version that the checkpoint was made for"
            )
        heads = TrustHeads(
            projection=Projection(*(_finite(arrays[f"projection.{n}"]) for n in _PROJECTION)),
            error=_perceptron(arrays, "error"),
            kinds=_perceptron(arrays, "kinds"),
            flags=tuple(arrays["flags"].tobytes().decode().split(",")),
            **{n: _finite(arrays[n]) for n in _ARRAYS},
        )
        _try(heads)
    except (SafetensorError, KeyError, ValueError, IndexError) as error:
        raise CheckpointError(
            f"{name} is damaged or holds no heads for trust; get the checkpoint again"
        ) from error
    return heads


def _perceptron(arrays: dict[str, Array], name: str) -> Perceptron:
    layers = range(sum(key.startswith(f"{name}.weight.") for key in arrays))
    return Perceptron(
        [_finite(arrays[f"{name}.weight.{layer}"]) for layer in layers],
        [_finite(arrays[f"{name}.bias.{layer}"]) for layer in layers],
    )


def _finite(array: NDArray[Any]) -> Array:
    if array.dtype not in (np.float32, np.float16) or not np.isfinite(array).all():
        raise ValueError("numbers that are not finite")
    return array.astype(np.float32)


def _try(heads: TrustHeads) -> None:
    """Runs the heads once: arrays that do not fit each other raise ValueError."""
    inputs = np.zeros((1, len(heads.centre)), np.float32)
    if heads.error(inputs).shape[1] != len(OUTPUTS):
        raise ValueError("the error head has another number of outputs")
    heads.judge(inputs)
