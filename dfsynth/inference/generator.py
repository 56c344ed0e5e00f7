"""Batched Monte-Carlo dropout inference of a cascade on one device."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from dfsynth.devices import mixed_precision
from dfsynth.errors import DfsynthError
from dfsynth.inference.dropout import dropout_masks
from dfsynth.inference.map_generator import MapBatch
from dfsynth.inference.montecarlo import MonteCarlo, RunningMoments
from dfsynth.models import Cascade, Prediction
from dfsynth.records import Float32Map, Generated, ModelInput

_CPU_PIXELS_A_PASS = 5 * 256**2
"""Samples × pixels in flight on a CPU: more falls out of the cache (benchmarks/README.md)."""
_GPU_BYTES_A_PIXEL = 600
"""Upper estimate of the activations of one sample, per pixel of the grid."""
_GPU_MEMORY_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class _StageMoments:
    """The statistics of one stage over the samples."""

    maps: MonteCarlo = field(default_factory=MonteCarlo)
    beta: RunningMoments = field(default_factory=RunningMoments)


class CascadeGenerator:
    """A cascade made ready: device, precision, memory layout, seed and number of samples.

    Implements `MapGenerator`.
    """

    def __init__(
        self,
        network: Cascade,
        device: torch.device,
        precision: str,
        mc_samples: int = 20,
        seed: int = 0,
    ) -> None:
        """Moves the network to the device.

        `precision` is fp32, bf16 or fp16, as `resolve_precision` gives it; `mc_samples` (1 or
        more) Monte-Carlo samples are drawn of each image.
        """
        self._device = device
        self._precision = precision
        self._samples = mc_samples
        self._seed = seed
        self._config = network.config
        network = network.to(device)
        self._network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def auto_batch_size(self, grid: tuple[int, int]) -> int:
        """Chooses how many images make a batch for a grid of (height, width) pixels.

        It depends on the device and the options alone, so that a resumed build batches alike.
        """
        return max(1, min(self._samples_in_flight(grid[0] * grid[1]) // self._samples, 32))

    def generate(self, inputs: Sequence[ModelInput], image_ids: Sequence[str]) -> list[Generated]:
        """Makes the maps of each input; all inputs have one grid (H, W).

        The masks of each image come from a stream of its own, keyed by its id and the seed, so the
        batch that it travels in changes nothing but the last bits of float32.

        Raises:
            ValueError: the inputs have different grids, or not as many ids.
            DfsynthError: the batch does not fit the device.
        """
        maps = self(np.stack([i.image for i in inputs]), image_ids)
        return [
            Generated(
                dark_field=maps.mean[i],
                aleatoric=maps.aleatoric[i],
                epistemic=maps.epistemic[i],
                lung=None if maps.lung is None else maps.lung[i],
            )
            for i in range(len(inputs))
        ]

    def __call__(
        self, images: NDArray[np.floating], image_ids: Sequence[str] | None = None
    ) -> MapBatch:
        """Makes the maps of the last stage, of images (n, H, W) in [0, 1], dense bright.

        Image ids, of which the dropout masks depend, are "0", "1", … unless they are given.

        Raises:
            ValueError: the images have another shape, or not as many ids.
            DfsynthError: the batch does not fit the device.
        """
        return self._sample(images, image_ids, self._config.stages - 1, shapes=False)[0]

    def stages(
        self, images: NDArray[np.floating], image_ids: Sequence[str] | None = None
    ) -> list[MapBatch]:
        """Makes the maps of every stage, with `beta`, of images (n, H, W) in [0, 1], dense bright.

        The last stage's are what a call gives. All stages see the same dropout masks. The lung
        map, which the first stage makes, is that of each.

        Raises:
            ValueError: the images have another shape, or not as many ids.
            DfsynthError: the batch does not fit the device.
        """
        return self._sample(images, image_ids, 0, shapes=True)

    @torch.inference_mode()
    def _sample(
        self,
        images: NDArray[np.floating],
        image_ids: Sequence[str] | None,
        first: int,
        shapes: bool,
    ) -> list[MapBatch]:
        """The maps of the stages from `first` (from 0) on, with `beta` if `shapes`."""
        if images.ndim != 3:
            raise ValueError(f"expected images of shape (n, H, W), found {images.shape}")
        count, height, width = images.shape
        ids = [str(i) for i in range(count)] if image_ids is None else list(image_ids)
        if len(ids) != count:
            raise ValueError(f"expected {count} image ids, found {len(ids)}")
        batch = torch.from_numpy(np.ascontiguousarray(images, np.float32))[:, None]
        batch = self._pad(batch.to(self._device, non_blocking=True))
        masks = torch.from_numpy(self._masks(ids)).to(self._device, non_blocking=True)
        moments_of = [_StageMoments() for _ in range(first, self._config.stages)]
        lung = RunningMoments()
        for portion in torch.split(masks, self._samples_a_pass(batch), dim=1):
            stages = self._predict(batch, portion.flatten(0, 1))
            window = (count, portion.shape[1], *batch.shape[-2:])
            for moments, stage in zip(moments_of, stages[first:], strict=True):
                moments.maps.add(stage.mean.view(window), stage.sigma.view(window))
                if shapes:
                    moments.beta.add(stage.beta.reshape(window))
            if stages[0].lung_logit is not None:
                lung.add(torch.sigmoid(stages[0].lung_logit).view(window))

        def cut(padded: Tensor) -> Float32Map:
            return np.asarray(padded[..., :height, :width].cpu().numpy(), np.float32)

        lung_map = cut(lung.mean()) if self._config.lung_head else None
        found = []
        for moments in moments_of:
            mean, aleatoric, epistemic = map(cut, moments.maps.result())
            beta = cut(moments.beta.mean()) if shapes else None
            found.append(MapBatch(mean, aleatoric, epistemic, lung_map, beta))
        return found

    def _predict(self, batch: Tensor, masks: Tensor) -> list[Prediction]:
        with mixed_precision(self._device, self._precision):
            try:
                stages: list[Prediction] = self._network(batch, masks)
            except (torch.OutOfMemoryError, MemoryError) as error:
                raise DfsynthError(
                    f"a batch of {batch.shape[0]} images of {batch.shape[2]}x{batch.shape[3]} does "
                    f"not fit the memory of {self._device}; use a smaller --batch-size or --size"
                ) from error
        return stages

    def _masks(self, ids: Sequence[str]) -> Float32Map:
        dropout = self._config.dropout
        return np.stack(
            [
                dropout_masks(self._seed, i, self._samples, self._network.mask_width, dropout)
                for i in ids
            ]
        )

    def _pad(self, batch: Tensor) -> Tensor:
        """To sides that the network can halve; what is added is cut off again."""
        height, width = batch.shape[-2:]
        divisor = self._network.divisor
        padded = F.pad(batch, (0, -width % divisor, 0, -height % divisor))
        return padded.contiguous(memory_format=torch.channels_last)

    def _samples_a_pass(self, batch: Tensor) -> int:
        """Of each image of `batch`; portions of equal size."""
        pixels = batch.shape[-1] * batch.shape[-2]
        most = max(self._samples_in_flight(pixels) // batch.shape[0], 1)
        passes = -(-self._samples // most)
        return -(-self._samples // passes)

    def _samples_in_flight(self, pixels: int) -> int:
        """How many samples of `pixels` each fit a pass."""
        if self._device.type == "cpu":
            return max(_CPU_PIXELS_A_PASS // pixels, 1)
        # Of all memory, not of the free: how samples are split must not change between runs.
        _, total = torch.cuda.mem_get_info(self._device)
        return max(int(total * _GPU_MEMORY_SHARE) // (_GPU_BYTES_A_PIXEL * pixels), 1)
