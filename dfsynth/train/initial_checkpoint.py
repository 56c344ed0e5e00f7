"""The initial checkpoint of a warm start, and the teacher network that it may become."""

from dataclasses import dataclass, fields, replace
from typing import Any, Final

import torch
from torch import Tensor, nn

from dfsynth.checkpoint import (
    CascadeConfig,
    DenoiserConfig,
    DenoiserMembersConfig,
    MembersConfig,
    ModelCard,
    NetworkConfig,
    checkpoint_path,
    read_checkpoint,
)
from dfsynth.datasets import PairBatch
from dfsynth.errors import UsageError
from dfsynth.inference import load_network
from dfsynth.models import DenoiserMembers, Members, build_cascade
from dfsynth.train.families import family_of

_WITHOUT_WEIGHTS: Final = frozenset({"dropout"})
_OF_SAMPLING: Final = frozenset({"steps", "sampler", "guidance", "drop_condition", "degrade_level"})
"""What may differ between networks of the same weights, and between denoisers beside: `guidance` of
a cascade is another thing, and part of what its weights mean."""


@dataclass(frozen=True, slots=True)
class InitialCheckpoint:
    """Weights to start from, and what must be said of them in the card of what comes of them."""

    weights: dict[str, Tensor]
    config: NetworkConfig
    card: ModelCard
    sha256: str

    def reference(self) -> dict[str, str]:
        """Gives the name and hash by which a run and its checkpoint refer to it."""
        return {"name": self.card.name, "sha256": self.sha256}


def read_initial_checkpoint(
    wanted: str, network: NetworkConfig, member: int = 0
) -> InitialCheckpoint:
    """Reads the weights of a packaged generator, or of a checkpoint's folder, for `network`.

    Of a checkpoint with members, member `member` modulo their number is taken. Dropout, how samples
    are drawn and the share of dropped inputs may differ, since they have no weights.

    Raises:
        UsageError: there is no such checkpoint, or its network is another than the recipe's.
        CheckpointError: it is damaged.
    """
    files = read_checkpoint(checkpoint_path(wanted))
    config = files.card.arguments
    if isinstance(config, MembersConfig):
        config = config.cascade
    elif isinstance(config, DenoiserMembersConfig):
        config = config.network
    differences = _differences(network, config)
    if differences:
        raise UsageError(
            f"training cannot start from {wanted}: its network is another: "
            f"{'; '.join(differences)}; change [network], or choose another checkpoint"
        )
    initial: nn.Module = load_network(files)
    if isinstance(initial, Members | DenoiserMembers):
        initial = initial.members[member % initial.config.members]
    weights = dict(initial.state_dict())
    return InitialCheckpoint(weights, config, files.card, files.sha256)


class LungTeacherNetwork:
    """The network of the initial checkpoint, which predicts lungs for pairs without a lung mask.

    Training moves the weights under the lung output, which nothing else then supervises: it would
    drift, and every figure of the lung with it. Its own earlier predictions are the targets
    (knowledge distillation: Hinton et al. 2015, arXiv:1503.02531).
    """

    def __init__(self, initial: InitialCheckpoint, device: torch.device) -> None:
        """Builds the network on a device, with weights that are never trained; it is a cascade."""
        assert isinstance(initial.config, CascadeConfig)
        self._network = build_cascade(initial.config).to(device).eval().requires_grad_(False)
        self._network.load_state_dict(initial.weights)

    @torch.no_grad()
    def __call__(self, batch: PairBatch) -> PairBatch:
        """Adds the probability of lung, (n, 1, H, W) in [0, 1], to a batch as `lung`."""
        masks = torch.ones(
            batch.image.shape[0], self._network.mask_width, device=batch.image.device
        )
        [first] = self._network(batch.image, masks, 1)
        if first.lung_logit is None:
            return batch
        return replace(batch, lung=torch.sigmoid(first.lung_logit.float()))


def _differences(ours: NetworkConfig, theirs: NetworkConfig) -> list[str]:
    if type(theirs) is not type(ours):
        return [f"the checkpoint's is no {family_of(ours).network}"]
    free = _WITHOUT_WEIGHTS
    if isinstance(ours, DenoiserConfig):
        free |= _OF_SAMPLING
    compared = (f.name for f in fields(ours) if f.name not in free)
    return [
        f"{name} is {_plain(getattr(ours, name))} in the recipe and "
        f"{_plain(getattr(theirs, name))} in the checkpoint"
        for name in compared
        if getattr(ours, name) != getattr(theirs, name)
    ]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
