"""The checkpoint whose weights a training begins with."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from dfsynth.checkpoint import CascadeConfig, ModelCard, checkpoint_path, read_checkpoint
from dfsynth.datasets import PairBatch
from dfsynth.errors import UsageError
from dfsynth.inference import load_network
from dfsynth.models import Cascade


@dataclass(frozen=True, slots=True)
class Beginning:
    """Weights, and what must be said of them in the card of what is made from them."""

    weights: dict[str, Tensor]
    card: ModelCard
    sha256: str

    def origin(self) -> dict[str, str]:
        """What a run and its checkpoint say they began with."""
        return {"name": self.card.name, "sha256": self.sha256}


def read_beginning(wanted: str, network: CascadeConfig) -> Beginning:
    """A packaged generator's name or a checkpoint's folder → its weights.

    Dropout may differ: it has no weights.

    Raises:
        UsageError: no checkpoint, or one of a network other than the recipe's.
        CheckpointError: it is damaged.
    """
    files = read_checkpoint(checkpoint_path(wanted))
    differences = [
        f"{name} is {_plain(ours)} in the recipe and {_plain(theirs)} in the checkpoint"
        for name, ours, theirs in _compared(network, files.card.arguments)
        if ours != theirs
    ]
    if differences:
        raise UsageError(
            f"training cannot start from {wanted}: its network is another: "
            f"{'; '.join(differences)}; change [network], or choose another checkpoint"
        )
    return Beginning(dict(load_network(files).state_dict()), files.card, files.sha256)


class LungTeacher:
    """What the generator that training began with says of lungs, for pairs without a lung mask.

    Its weights move under the lung output, which nothing else then teaches: it would drift, and
    every figure of the lung with it (Hinton et al. 2015: soft targets of another network).
    """

    def __init__(self, start: Beginning, device: torch.device) -> None:
        self._network = Cascade(start.card.arguments).to(device).eval().requires_grad_(False)
        self._network.load_state_dict(start.weights)

    @torch.no_grad()
    def __call__(self, batch: PairBatch) -> PairBatch:
        """The batch with each pixel's probability of lung in [0, 1], as `lung`."""
        whole = torch.ones(
            batch.image.shape[0], self._network.mask_width, device=batch.image.device
        )
        [first] = self._network(batch.image, whole, 1)
        if first.lung_logit is None:
            return batch
        return replace(batch, lung=torch.sigmoid(first.lung_logit.float()))


def _compared(ours: CascadeConfig, theirs: CascadeConfig) -> list[tuple[str, Any, Any]]:
    shaped = ("backbone", "stages", "widths", "guidance", "likelihood", "lung_head")
    return [(name, getattr(ours, name), getattr(theirs, name)) for name in shaped]


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
