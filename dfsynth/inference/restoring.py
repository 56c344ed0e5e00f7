"""Trained restorers: a blurred radiograph → one sharp one that it may have been."""

import numpy as np
import torch
from torch import Tensor

from dfsynth.checkpoint import CheckpointFiles, checkpoint_path, read_checkpoint, require_generator
from dfsynth.checkpoint.sampling import require_diffusion
from dfsynth.errors import UsageError
from dfsynth.inference.weights import load_network
from dfsynth.models import Denoiser
from dfsynth.options.simulate_tasks import RESTORATION
from dfsynth.records import Float32Map


class CheckpointRestorer:
    """Draws single samples of a conditional diffusion or flow network, in float32.

    A sample and not the mean of several, which is smoother than any radiograph
    (`docs/restoration.md`).
    """

    def __init__(self, files: CheckpointFiles, device: torch.device) -> None:
        """Moves the network of a checkpoint to the device.

        Raises:
            UsageError: it restores no radiographs, draws no samples, or needs a library that is
                not installed.
            CheckpointError: the weights are damaged or do not fit the card.
        """
        card = files.card
        require_generator(card.arguments)
        if card.task != RESTORATION:
            raise UsageError(
                f"the checkpoint {card.name} is of the task {card.task}; expected one of "
                f"{RESTORATION}"
            )
        require_diffusion(card.arguments)
        network = load_network(files)
        if not isinstance(network, Denoiser):
            raise UsageError(
                f"the checkpoint {card.name} is a network {card.network}, whose image is a smooth "
                "mean; expected one of the families diffusion and flow, of which samples are drawn"
            )
        self._network = network.to(device)
        self._device = device
        self._sha256 = files.sha256
        self.grid = card.grid
        """Height and width in pixels of what it was trained on."""

    def fingerprint(self) -> str:
        """Gives the hash of the checkpoint's files, in hexadecimal."""
        return self._sha256

    @torch.inference_mode()
    def restore(self, image: Float32Map, rng: np.random.Generator) -> Float32Map:
        """Draws a sharp radiograph of a blurred one (y, x) in [0, 1], of the same shape and range.

        It depends on the image, and on what one call draws from `rng`, alone.
        """
        given = torch.from_numpy(np.ascontiguousarray(image, np.float32))[None, None]
        batch = self._network.pad_by_edges(given.to(self._device))

        def draw(like: Tensor) -> Tensor:
            found = rng.standard_normal(tuple(like.shape), np.float32)
            return torch.from_numpy(found).to(self._device)

        drawn = self._network.draw(batch, draw(batch), fresh=draw)
        height, width = image.shape
        return np.asarray(drawn[0, 0, :height, :width].clamp(0, 1).cpu().numpy(), np.float32)


def load_restorer(checkpoint: str, device: torch.device) -> CheckpointRestorer:
    """Makes a restorer ready, by a packaged name or a folder.

    Raises:
        UsageError: there is no such checkpoint, it restores nothing, or a library is not installed.
        CheckpointError: it is damaged.
    """
    return CheckpointRestorer(read_checkpoint(checkpoint_path(checkpoint)), device)
