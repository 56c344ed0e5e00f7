"""Trained degraders: a good radiograph → its low-quality partner, one image at a time."""

from typing import cast

import numpy as np
import torch

from dfsynth.checkpoint import CheckpointFiles, checkpoint_path, read_checkpoint, require_degrader
from dfsynth.checkpoint.sampling import require_diffusion
from dfsynth.inference.weights import load_network
from dfsynth.models import DegradingNetwork
from dfsynth.records import Float32Map, Parameter


class CheckpointDegrader:
    """Degrades radiographs by MUNIT-LQ or DDPM-LQ (`docs/restoration.md`), in float32."""

    def __init__(self, files: CheckpointFiles, device: torch.device) -> None:
        """Moves the network of a checkpoint to the device.

        Raises:
            UsageError: it is a generator, or needs a library that is not installed.
            CheckpointError: the weights are damaged or do not fit the card.
        """
        require_degrader(files.card.arguments)
        require_diffusion(files.card.arguments)
        self._network = cast(DegradingNetwork, load_network(files).to(device))
        self._device = device
        self.name = files.card.name
        self._sha256 = files.sha256
        self.grid = files.card.grid
        """Height and width in pixels of what it was trained on. Others are taken at their own
        pixels, whose blur it then gets wrong by as much as they differ in size."""

    def fingerprint(self) -> str:
        """Gives the hash of the checkpoint's files, in hexadecimal."""
        return self._sha256

    @torch.inference_mode()
    def degrade(self, image: Float32Map, rng: np.random.Generator) -> Float32Map:
        """Makes a partner of a radiograph (y, x) in [0, 1], of the same shape and range.

        It depends on the image, and on what one call draws from `rng`, alone.
        """
        noise = rng.standard_normal(self._network.noise_shape(*image.shape), np.float32)
        images = torch.from_numpy(np.ascontiguousarray(image, np.float32))[None, None]
        drawn = torch.from_numpy(noise)[None]
        made = self._network.degrade(images.to(self._device), drawn.to(self._device))
        return np.asarray(made[0, 0].float().cpu().numpy(), np.float32)

    def drawn(self, rng: np.random.Generator) -> dict[str, Parameter]:  # noqa: ARG002
        """Gives what a manifest has a column for: nothing of a style, nor of noise."""
        return {}


def load_degrader(checkpoint: str, device: torch.device | None = None) -> CheckpointDegrader:
    """Makes the degrader of a checkpoint's folder ready, on the CPU if no device is given.

    Raises:
        UsageError: there is no such checkpoint, it is a generator, or a library is not installed.
        CheckpointError: it is damaged.
    """
    files = read_checkpoint(checkpoint_path(checkpoint))
    return CheckpointDegrader(files, device or torch.device("cpu"))
