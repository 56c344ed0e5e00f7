"""The checkpoint whose weights a training begins with."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dfsynth.checkpoint import CascadeConfig, ModelCard, checkpoint_path, read_checkpoint
from dfsynth.errors import UsageError
from dfsynth.generate import load_network


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


def _compared(ours: CascadeConfig, theirs: CascadeConfig) -> list[tuple[str, Any, Any]]:
    shaped = ("backbone", "stages", "widths", "guidance", "likelihood", "lung_head")
    return [(name, getattr(ours, name), getattr(theirs, name)) for name in shaped]


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
