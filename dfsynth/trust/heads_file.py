"""Heads for trust ⇄ the bytes of `scores.safetensors`: arrays and names, nothing unpickled."""

from itertools import pairwise
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
    """Writes heads as a safetensors file; the flags' names are kept as bytes of text.

    Raises:
        ValueError: a number is not finite, which no reader would take.
    """
    arrays: dict[str, NDArray[Any]] = {"version": np.array([_VERSION], np.int32)}
    arrays["flags"] = np.frombuffer(",".join(heads.flags).encode(), np.uint8)
    arrays |= {name: getattr(heads, name) for name in _ARRAYS}
    arrays |= {f"projection.{n}": getattr(heads.projection, n) for n in _PROJECTION}
    for name, network in (("error", heads.error), ("kinds", heads.kinds)):
        for layer, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
            arrays |= {f"{name}.weight.{layer}": weight, f"{name}.bias.{layer}": bias}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"the heads have numbers in {name} that are not finite")
    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def decode_heads(raw: bytes, name: str) -> TrustHeads:
    """Reads the heads of a checkpoint; `name` is what messages call the file.

    Raises:
        CheckpointError: it is damaged, of another version, or its arrays do not fit each other.
    """
    try:
        arrays = load(raw)
        [version] = arrays["version"].tolist()
        if version != _VERSION:
            raise CheckpointError(
                f"{name} is of version {version}; this version of dfsynth reads {_VERSION}; "
                "get the version that the checkpoint was made for"
            )
        heads = TrustHeads(
            projection=Projection(*(_finite(arrays[f"projection.{n}"]) for n in _PROJECTION)),
            error=_perceptron(arrays, "error"),
            kinds=_perceptron(arrays, "kinds"),
            flags=tuple(filter(None, arrays["flags"].tobytes().decode().split(","))),
            **{n: _finite(arrays[n]) for n in _ARRAYS},
        )
        _require_fit(heads)
    except (SafetensorError, KeyError, ValueError, IndexError, TypeError) as error:
        raise CheckpointError(
            f"{name} is damaged or holds no heads for trust; get the checkpoint again"
        ) from error
    return heads


def _perceptron(arrays: dict[str, Array], name: str) -> Perceptron:
    # One that lacks its weights or its bias counts as well, and is then missing.
    layers = range(len({key.split(".")[2] for key in arrays if key.startswith(f"{name}.")}))
    return Perceptron(
        [_finite(arrays[f"{name}.weight.{layer}"]) for layer in layers],
        [_finite(arrays[f"{name}.bias.{layer}"]) for layer in layers],
    )


def _finite(array: NDArray[Any]) -> Array:
    if array.dtype not in (np.float32, np.float16) or not np.isfinite(array).all():
        raise ValueError("numbers that are not finite")
    return array.astype(np.float32)


def _require_fit(heads: TrustHeads) -> None:
    """Raises ValueError, IndexError or TypeError for arrays that do not fit each other.

    Shapes are compared and not tried out: NumPy would stretch some that are wrong.
    """
    projection = heads.projection
    figures, layout = len(projection.figure_mean), len(projection.layout_mean)
    components = projection.components.shape[1]
    inputs, groups, flags = figures + components, len(heads.margins), len(heads.flags)
    expected = [
        (projection.figure_mean, (figures,)),
        (projection.figure_scale, (figures,)),
        (projection.layout_mean, (layout,)),
        (projection.layout_scale, (layout,)),
        (projection.components, (layout, components)),
        (heads.flag_thresholds, (flags,)),
        (heads.centre, (inputs,)),
        (heads.precision, (inputs, inputs)),
        (heads.distances, (2,)),
        (heads.ood_offset, (1,)),
        (heads.margin_edges, (groups - 1,)),
        (heads.margins, (groups,)),
        *_layer_shapes(heads.error, inputs, len(OUTPUTS)),
        *_layer_shapes(heads.kinds, inputs, 1 + flags),
    ]
    if any(array.shape != shape for array, shape in expected):
        raise ValueError("arrays that do not fit each other")
    divisors = (projection.figure_scale, projection.layout_scale, heads.distances[1:])
    if any((divisor <= 0).any() for divisor in divisors):
        raise ValueError("a scale that is not above 0")
    if (np.diff(heads.margin_edges) < 0).any():
        raise ValueError("groups that are not in order")


def _layer_shapes(
    network: Perceptron, inputs: int, outputs: int
) -> list[tuple[Array, tuple[int, ...]]]:
    """Each array of a perceptron and the shape that it must have."""
    networks = len(network.weights[0])
    if networks == 0:
        raise ValueError("a perceptron without networks")
    ends = [*(bias.shape[-1] for bias in network.biases[:-1]), outputs]
    weights = zip(network.weights, pairwise([inputs, *ends]), strict=True)
    biases = zip(network.biases, ends, strict=True)
    return [
        *((weight, (networks, *sides)) for weight, sides in weights),
        *((bias, (networks, 1, end)) for bias, end in biases),
    ]
