"""Generators of maps from networks that draw samples of the output image itself.

`docs/decisions/0026-samples-as-uncertainty.md` says what the maps mean: the mean is that of the
samples, the aleatoric deviation theirs within the network, and the epistemic deviation that between
networks, which is 0 of one alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dfsynth.checkpoint.sampling import require_samples
from dfsynth.counted_nouns import counted
from dfsynth.devices import mixed_precision
from dfsynth.errors import DfsynthError, UsageError
from dfsynth.inference.given_arrays import require_model_inputs
from dfsynth.inference.map_generator import Content, MapBatch
from dfsynth.inference.streams import noise_samples, step_stream
from dfsynth.models import Denoiser
from dfsynth.records import (
    Generated,
    Intensity,
    ModelInput,
    MonteCarloMode,
    SamplerSettings,
)
from dfsynth.trust import Judge

_SIGMA_FLOOR: Final = 1e-3
"""Least aleatoric deviation, over the width of the span: equal samples are not certain."""
GAUSSIAN_BETA: Final = 2.0
"""Shape of the distribution that mean and deviation of the samples stand for."""
_CPU_PIXELS_A_PASS: Final = 4 * 64**2
"""Samples × pixels in flight on a CPU: more falls out of the cache."""
_GPU_BYTES_A_PIXEL: Final = 2400
"""Upper estimate of the activations of one sample, per pixel of the grid."""
_GPU_MEMORY_SHARE: Final = 0.3
_MOST_IMAGES: Final = 32


class StepNoise:
    """Standard normal noise for samplers that add some on their way; a `FreshNoise`.

    Every sample draws from a stream of its own, so that it is the same in any batch.
    """

    def __init__(self, seed: int, samples: Sequence[tuple[str, int]]) -> None:
        """Takes the id of the image and the number of the sample of each row of a batch."""
        self._streams = [step_stream(seed, image_id, sample) for image_id, sample in samples]

    def __call__(self, images: Tensor) -> Tensor:
        """Draws noise of the shape of images (n, 1, H, W), on their device; n is that given."""
        shape = tuple(images.shape[1:])
        drawn = np.stack([s.standard_normal(shape, np.float32) for s in self._streams])
        return torch.from_numpy(drawn).to(images.device)


class SamplingGenerator:
    """Denoisers made ready: device, precision, seed and number of samples.

    Several are members that share the samples out: sample t is of member t modulo their number.
    Implements `MapGenerator`.
    """

    def __init__(
        self,
        members: Sequence[Denoiser],
        device: torch.device,
        precision: str,
        mc_samples: int,
        seed: int,
        heads: Judge | None,
        mc: MonteCarloMode,
        *,
        intensity: Intensity,
        settings: SamplerSettings | None = None,
    ) -> None:
        """Moves the networks, all of one configuration, to the device.

        `precision` is fp32, bf16 or fp16, as `resolve_precision` gives it; `mc_samples` are drawn
        of each image; `intensity` is the card's, which says what arrays may hold; `settings` say
        how samples are drawn, as `choose_sampler` gives them, or the networks' configuration does.

        Raises:
            UsageError: too few samples, the mode "fast", or heads, which judge what cascades make.
        """
        require_samples(len(members), mc_samples, mc)
        if heads is not None:
            raise UsageError(
                "heads for trust judge what cascades make, and this network is none; leave them out"
            )
        self._members = [member.eval().to(device) for member in members]
        self._device = device
        self._precision = precision
        self._samples = mc_samples
        self._seed = seed
        self._intensity = intensity
        self._settings = settings or members[0].config.sampling

    def auto_batch_size(self, grid: tuple[int, int]) -> int:
        """Chooses how many images make a batch for a grid of (height, width) pixels.

        It depends on the device and the options alone, so that a resumed build batches alike.
        """
        most = self._samples_in_flight(grid[0] * grid[1]) // self._samples
        return max(1, min(most, _MOST_IMAGES))

    def generate(self, inputs: Sequence[ModelInput], image_ids: Sequence[str]) -> list[Generated]:
        """Makes the maps of each input; all inputs have one grid (H, W).

        Raises:
            ValueError: the inputs have different grids, or not as many ids.
            DfsynthError: the batch does not fit the device.
        """
        maps = self._sample(np.stack([i.image for i in inputs]), image_ids)
        return [maps.image(i) for i in range(len(inputs))]

    def __call__(
        self, images: NDArray[np.floating], image_ids: Sequence[str] | None = None
    ) -> MapBatch:
        """Makes the maps of images (n, H, W); see `MapGenerator`.

        Image ids, of which the noise depends, are "0", "1", … unless they are given.

        Raises:
            ValueError: the images have another shape, whole numbers or values that the checkpoint
                does not take, or not as many ids.
            DfsynthError: the batch does not fit the device.
        """
        require_model_inputs(images, self._intensity)
        return self._sample(images, image_ids)

    def stages(
        self,
        images: NDArray[np.floating],
        image_ids: Sequence[str] | None = None,
        contents: Sequence[Content] | None = None,  # noqa: ARG002
    ) -> list[MapBatch]:
        """Makes the maps of images (n, H, W), of the only stage; see `MapGenerator`.

        Raises:
            ValueError: as a call.
            DfsynthError: as a call.
        """
        return [self(images, image_ids)]

    @torch.inference_mode()
    def _sample(self, images: NDArray[np.floating], image_ids: Sequence[str] | None) -> MapBatch:
        count, height, width = images.shape
        ids = [str(i) for i in range(count)] if image_ids is None else list(image_ids)
        if len(ids) != count:
            raise ValueError(f"expected {count} image ids, found {len(ids)}")
        batch = torch.from_numpy(np.ascontiguousarray(images, np.float32))[:, None]
        batch = self._members[0].pad(batch.to(self._device))
        rows, columns = batch.shape[-2:]
        members = len(self._members)
        try:
            drawn = [noise_samples(self._seed, i, self._samples, rows, columns) for i in ids]
            noise = torch.from_numpy(np.stack(drawn))
            samples = [
                self._draw(member, batch, noise[:, m::members], ids, m)[..., :height, :width]
                for m, member in enumerate(self._members)
            ]
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise DfsynthError(
                f"a batch of {counted(count, 'image')} of {rows}x{columns} does not fit the "
                f"memory of {self._device}; use a smaller --batch-size or --size"
            ) from error
        moments = sample_moments(samples, self._members[0].config.span)
        return MapBatch(
            mean=moments.mean.numpy(),
            aleatoric=moments.within.numpy(),
            epistemic=moments.between.numpy(),
            lung=None,
            beta=np.full((count, height, width), GAUSSIAN_BETA, np.float32),
        )

    def _draw(
        self, member: Denoiser, batch: Tensor, noise: Tensor, ids: Sequence[str], first: int
    ) -> Tensor:
        """Samples (k, samples, H, W) on the CPU, of images (k, 1, H, W) and as much noise.

        They are every so manieth of an image, as there are members, from the `first` on.
        """
        a_pass = self._samples_in_flight(batch[0].numel())
        numbers = range(first, self._samples, len(self._members))
        named = [(image_id, number) for image_id in ids for number in numbers]
        images = torch.split(batch.repeat_interleave(noise.shape[1], dim=0), a_pass)
        starts = torch.split(noise.flatten(0, 1)[:, None], a_pass)
        fresh = [
            StepNoise(self._seed, named[row : row + a_pass]) for row in range(0, len(named), a_pass)
        ]
        with mixed_precision(self._device, self._precision):
            drawn = [
                member.draw(image, start.to(self._device), self._settings, added).float().cpu()
                for image, start, added in zip(images, starts, fresh, strict=True)
            ]
        return torch.cat(drawn).reshape(noise.shape)

    def _samples_in_flight(self, pixels: int) -> int:
        """How many samples of `pixels` each fit a pass; guidance has the network see all twice."""
        if self._settings.guidance:
            pixels *= 2
        if self._device.type == "cpu":
            return max(_CPU_PIXELS_A_PASS // pixels, 1)
        # Of all memory, not of the free: how samples are split must not change between runs.
        _, total = torch.cuda.mem_get_info(self._device)
        return max(int(total * _GPU_MEMORY_SHARE) // (_GPU_BYTES_A_PIXEL * pixels), 1)


@dataclass(frozen=True, slots=True)
class SampleMoments:
    """Statistics of samples, maps (k, H, W) float32 each."""

    mean: Tensor
    within: Tensor
    """Standard deviation of the samples of one network."""
    between: Tensor
    """Standard deviation between networks; 0 of one alone."""


def sample_moments(samples: Sequence[Tensor], span: tuple[float, float]) -> SampleMoments:
    """Takes the moments of the samples of each network, (k, T, H, W) with T at least 2 of its own.

    Variances are those of a one-way analysis of variance with random effects: that within divides
    by T - 1 of each network, since a handful of samples would else seem too sure; that between is
    the variance of the networks' means less what their samples give it. The deviation within is at
    least a thousandth of the width of the `span`.
    """
    together = torch.cat(list(samples), dim=1)
    squares = [(s - s.mean(dim=1, keepdim=True)).square().sum(dim=1) for s in samples]
    within = torch.stack(squares).sum(dim=0) / (together.shape[1] - len(samples))
    between = torch.zeros_like(within)
    if len(samples) > 1:
        means = torch.stack([s.mean(dim=1) for s in samples])
        of_samples = within * float(np.mean([1 / s.shape[1] for s in samples]))
        between = (means.var(dim=0, correction=1) - of_samples).clamp_min(0)
    floor = _SIGMA_FLOOR * (span[1] - span[0])
    return SampleMoments(together.mean(dim=1), within.sqrt().clamp_min(floor), between.sqrt())
