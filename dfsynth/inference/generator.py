"""Batched Monte-Carlo inference, by dropout and by members, of cascades on one device."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dfsynth.counted_nouns import counted
from dfsynth.devices import mixed_precision
from dfsynth.errors import DfsynthError
from dfsynth.inference.dropout import dropout_masks
from dfsynth.inference.embedding import embed
from dfsynth.inference.given_arrays import require_model_inputs
from dfsynth.inference.map_generator import Content, MapBatch
from dfsynth.inference.montecarlo import MonteCarlo, RunningMoments, pool
from dfsynth.models import CascadeNetwork, Moments
from dfsynth.records import (
    Float32Map,
    Generated,
    Intensity,
    IntensityWindow,
    ModelInput,
    MonteCarloMode,
)
from dfsynth.trust import Evidence, Judge, Learned

_CPU_PIXELS_A_PASS = 5 * 256**2
"""Samples × pixels in flight on a CPU: more falls out of the cache (benchmarks/README.md)."""
_GPU_BYTES_A_PIXEL = 600
"""Upper estimate of the activations of one sample, per pixel of the grid."""
_GPU_MEMORY_SHARE = 0.3
_OF_RADIOGRAPHS: Final = IntensityWindow()


@dataclass(frozen=True, slots=True)
class _StageMoments:
    """The statistics of one stage of one member over the samples."""

    maps: MonteCarlo = field(default_factory=MonteCarlo)
    beta: RunningMoments = field(default_factory=RunningMoments)


@dataclass(frozen=True, slots=True)
class _MemberMaps:
    """What one member gives for a batch: maps (k, 1, H, W) for each stage asked for."""

    stages: list[Moments]
    betas: list[Tensor]
    lung: Tensor | None
    features: list[Tensor]
    """Of the encoder, (k, …) each."""


class CascadeGenerator:
    """Cascades made ready: device, precision, memory layout, seed and number of samples.

    Several cascades are members that share the samples out: sample t is of member t modulo their
    number. Implements `MapGenerator`.
    """

    def __init__(
        self,
        members: Sequence[CascadeNetwork],
        device: torch.device,
        precision: str,
        mc_samples: int = 20,
        seed: int = 0,
        heads: Judge | None = None,
        mc: MonteCarloMode = "full",
        *,
        fast_spread: float = 1.0,
        intensity: Intensity = _OF_RADIOGRAPHS,
    ) -> None:
        """Moves the networks, all of one configuration, to the device.

        `precision` is fp32, bf16 or fp16, as `resolve_precision` gives it; `mc_samples` (1 or
        more) Monte-Carlo samples are drawn of each image; one of each member if `mc` is "fast", at
        most one of each without dropout. `heads` say how far images can be trusted; `fast_spread`
        is the members' own (`MembersConfig`); `intensity` is the card's, which says what arrays may
        hold.
        """
        self._heads = heads
        self._intensity = intensity
        self._fast_spread = fast_spread if mc == "fast" else None
        if mc == "fast":
            mc_samples = len(members)
        elif not members[0].config.dropout:
            # All samples of a member are equal.
            mc_samples = min(mc_samples, len(members))
        self._device = device
        self._precision = precision
        self._samples = mc_samples
        self._seed = seed
        self._config = members[0].config
        self._members = [_place(member, device) for member in members[:mc_samples]]

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
        contents = [i.geometry.content for i in inputs]
        images = np.stack([i.image for i in inputs])
        [maps] = self._sample(images, image_ids, self._config.stages - 1, False, contents)
        return [maps.image(i) for i in range(len(inputs))]

    def __call__(
        self, images: NDArray[np.floating], image_ids: Sequence[str] | None = None
    ) -> MapBatch:
        """Makes the maps of the last stage, of images (n, H, W); see `MapGenerator`.

        Image ids, of which the dropout masks depend, are "0", "1", … unless they are given.

        Raises:
            ValueError: the images have another shape, whole numbers or values that the checkpoint
                does not take, or not as many ids.
            DfsynthError: the batch does not fit the device.
        """
        require_model_inputs(images, self._intensity)
        return self._sample(images, image_ids, self._config.stages - 1, False, None)[0]

    def stages(
        self,
        images: NDArray[np.floating],
        image_ids: Sequence[str] | None = None,
        contents: Sequence[Content] | None = None,
    ) -> list[MapBatch]:
        """Makes the maps of every stage, with `beta`, of images (n, H, W); see `MapGenerator`.

        The last stage's are what a call gives. `contents` are the rows and columns of each image
        that are no padding, all of it by default. All stages see the same dropout masks. The lung
        map, which the first stage makes, is that of each.

        Raises:
            ValueError: the images have another shape, whole numbers or values that the checkpoint
                does not take, or not as many ids.
            DfsynthError: the batch does not fit the device.
        """
        require_model_inputs(images, self._intensity)
        return self._sample(images, image_ids, 0, True, contents)

    @torch.inference_mode()
    def _sample(
        self,
        images: NDArray[np.floating],
        image_ids: Sequence[str] | None,
        first: int,
        shapes: bool,
        contents: Sequence[Content] | None,
    ) -> list[MapBatch]:
        """The maps of the stages from `first` (from 0) on, with `beta` if `shapes`."""
        count, height, width = images.shape
        ids = [str(i) for i in range(count)] if image_ids is None else list(image_ids)
        if len(ids) != count:
            raise ValueError(f"expected {count} image ids, found {len(ids)}")
        batch = torch.from_numpy(np.ascontiguousarray(images, np.float32))[:, None]
        batch = self._pad(batch.to(self._device, non_blocking=True))
        masks = torch.from_numpy(self._masks(ids)).to(self._device, non_blocking=True)
        shares = [masks[:, k :: len(self._members)] for k in range(len(self._members))]
        try:
            found = [
                self._run(member, batch, share, first, shapes)
                for member, share in zip(self._members, shares, strict=True)
            ]
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise DfsynthError(
                f"a batch of {counted(count, 'image')} of {batch.shape[2]}x{batch.shape[3]} does "
                f"not fit the memory of {self._device}; use a smaller --batch-size or --size"
            ) from error
        batches = self._batches(found, [share.shape[1] for share in shares], (height, width))
        if self._heads is not None:
            whole = [(slice(0, height), slice(0, width))] * count
            learned = self._judge(self._heads, batches[-1], found, images, contents or whole)
            batches[-1] = replace(batches[-1], learned=learned)
        return batches

    def _judge(
        self,
        heads: Judge,
        maps: MapBatch,
        found: Sequence[_MemberMaps],
        images: NDArray[np.floating],
        contents: Sequence[Content],
    ) -> tuple[Learned, ...]:
        """What the heads say of each image of a batch, padding left out."""
        held = torch.zeros(len(images), 1, *images.shape[1:], device=self._device)
        for mask, content in zip(held, contents, strict=True):
            mask[0][content] = 1
        embedding = embed(found[0].features, self._pad(held)).cpu().numpy()
        members = [m.stages[-1].mean[:, 0].cpu().numpy() for m in found]
        lung = np.zeros_like(maps.mean) if maps.lung is None else maps.lung
        evidence = [
            Evidence(
                image=np.asarray(images[n][content], np.float32),
                dark_field=maps.mean[n][content],
                aleatoric=maps.aleatoric[n][content],
                epistemic=maps.epistemic[n][content],
                lung=lung[n][content],
                members=[member[n][content] for member in members],
                embedding=embedding[n],
            )
            for n, content in enumerate(contents)
        ]
        return tuple(heads(evidence))

    def _run(
        self, member: CascadeNetwork, batch: Tensor, masks: Tensor, first: int, shapes: bool
    ) -> _MemberMaps:
        """Draws the samples of one member, masks (k, samples, width), and takes their moments."""
        count = batch.shape[0]
        moments_of = [_StageMoments() for _ in range(first, self._config.stages)]
        lung = RunningMoments()
        with mixed_precision(self._device, self._precision):
            prepared = member.prepare(batch)
            for portion in torch.split(masks, self._samples_a_pass(batch), dim=1):
                stages = member.sample(prepared, portion.flatten(0, 1))

                def by_image(maps: Tensor, samples: int = portion.shape[1]) -> Tensor:
                    return maps.reshape(count, samples, *maps.shape[-2:])

                for moments, stage in zip(moments_of, stages[first:], strict=True):
                    moments.maps.add(member.enlarge(by_image(stage.mean)), by_image(stage.sigma))
                    if shapes:
                        moments.beta.add(by_image(stage.beta))
                if stages[0].lung_logit is not None:
                    lung.add(by_image(torch.sigmoid(stages[0].lung_logit)))
            found = [_at_full_resolution(member, m.maps) for m in moments_of]
            found[-1] = member.refine(batch, found[-1])
        return _MemberMaps(
            stages=found,
            betas=[member.enlarge(m.beta.mean()[:, None]) for m in moments_of] if shapes else [],
            lung=member.enlarge(lung.mean()[:, None]) if self._config.lung_head else None,
            features=prepared.features,
        )

    def _batches(
        self, found: Sequence[_MemberMaps], samples: Sequence[int], grid: tuple[int, int]
    ) -> list[MapBatch]:
        """The members' maps of each stage pooled, as arrays of the grid asked for."""

        def cut(padded: Tensor) -> Float32Map:
            return np.asarray(padded[:, 0, : grid[0], : grid[1]].cpu().numpy(), np.float32)

        def average(maps: Sequence[Tensor]) -> Float32Map:
            weighted = [n * m for n, m in zip(samples, maps, strict=True)]
            only = maps[0] if len(maps) == 1 else torch.stack(weighted).sum(0) / sum(samples)
            return cut(only)

        lungs = [member.lung for member in found if member.lung is not None]
        lung = average(lungs) if lungs else None
        batches = []
        for stage in range(len(found[0].stages)):
            moments = pool([member.stages[stage] for member in found], samples)
            spread = moments.spread
            if self._fast_spread is not None:
                spread = self._fast_spread * spread
            betas = [member.betas[stage] for member in found if member.betas]
            batches.append(
                MapBatch(
                    mean=cut(moments.mean),
                    aleatoric=cut(moments.variance.sqrt()),
                    epistemic=cut(spread),
                    lung=lung,
                    beta=average(betas) if betas else None,
                )
            )
        return batches

    def _masks(self, ids: Sequence[str]) -> Float32Map:
        dropout = self._config.dropout
        if self._fast_spread is not None:
            return np.ones((len(ids), self._samples, self._members[0].mask_width), np.float32)
        return np.stack(
            [
                dropout_masks(self._seed, i, self._samples, self._members[0].mask_width, dropout)
                for i in ids
            ]
        )

    def _pad(self, batch: Tensor) -> Tensor:
        """To sides that the network can halve; what is added is cut off again."""
        padded = self._members[0].pad(batch)
        return padded.contiguous(memory_format=torch.channels_last)

    def _samples_a_pass(self, batch: Tensor) -> int:
        """Of one member and each image of `batch`; portions of equal size."""
        pixels = batch.shape[-1] * batch.shape[-2]
        most = max(self._samples_in_flight(pixels) // batch.shape[0], 1)
        share = -(-self._samples // len(self._members))
        passes = -(-share // most)
        return -(-share // passes)

    def _samples_in_flight(self, pixels: int) -> int:
        """How many samples of `pixels` each fit a pass."""
        pixels = max(pixels // self._members[0].economy, 1)
        if self._device.type == "cpu":
            return max(_CPU_PIXELS_A_PASS // pixels, 1)
        # Of all memory, not of the free: how samples are split must not change between runs.
        _, total = torch.cuda.mem_get_info(self._device)
        return max(int(total * _GPU_MEMORY_SHARE) // (_GPU_BYTES_A_PIXEL * pixels), 1)


def _place(network: CascadeNetwork, device: torch.device) -> CascadeNetwork:
    placed = network.eval().to(device)
    return placed.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _at_full_resolution(member: CascadeNetwork, samples: MonteCarlo) -> Moments:
    return Moments(
        mean=samples.mean()[:, None],
        variance=member.enlarge(samples.aleatoric_variance()[:, None]),
        spread=samples.spread()[:, None],
    )
