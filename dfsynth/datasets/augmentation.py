"""Changes of pairs on the device that trains: what may be drawn, drawing it, applying it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dfsynth.datasets.batch import PairBatch
from dfsynth.datasets.shadows import Shadow, cast_shadows, draw_shadows
from dfsynth.datasets.shifts import change_at_random
from dfsynth.errors import UsageError


@dataclass(frozen=True, slots=True)
class DeviceAugmentation:
    """Ranges of what is drawn for each pair; what is 0, False or None changes nothing.

    Position (flips, rotation, scale, shift, crop) changes a radiograph and its targets together;
    appearance (shadows, contrast, brightness, gamma, noise) changes the radiograph alone.

    Raises:
        UsageError: a range that makes no sense.
    """

    flip_horizontal: bool = True
    """Left and right, half of the pairs."""
    flip_vertical: bool = False
    """Up and down, half of the pairs; makes networks blind to how an image lies."""
    rotation_deg: float = 10.0
    """Largest rotation to either side."""
    scale: tuple[float, float] = (1.0, 1.0)
    """Smallest and largest size over that of the image."""
    shift: float = 0.0
    """Largest move along each axis, in sides of the image."""
    contrast: float = 0.2
    """Largest change of the factor by which grey values differ from their mean. [assumed]"""
    brightness: float = 0.0
    """Largest value that is added to all grey values or taken from them."""
    gamma: float = 0.0
    """Largest size of the logarithm of the exponent of grey values."""
    noise: float = 0.0
    """Largest standard deviation of what is added to each grey value."""
    shadows: float = 0.0
    """Share of the pairs with a lung mask that get one to three ellipses outside the lungs, darker
    or brighter: gas, gaps beside an arm and arms look like lung at times, and scatter nothing."""
    shifts: float = 0.0
    """Share of the pairs whose radiograph is changed as archives change theirs: by hard windows,
    local equalisation, blur, noise, overlays, devices, gas, arms (`dfsynth.datasets.shifts`)."""
    crop: int | None = None
    """Side in pixels of a patch, as the last step; None keeps whole images."""

    @property
    def changes_appearance(self) -> bool:
        """Whether grey values are changed, which must then be in [0, 1] and stay there."""
        ranges = (self.contrast, self.brightness, self.gamma, self.noise, self.shadows)
        return any(ranges)

    def __post_init__(self) -> None:
        for name in ("rotation_deg", "brightness", "gamma", "noise"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise UsageError(f"[augmentation] {name} = {getattr(self, name)}: expected 0 or up")
        for name in ("shift", "contrast"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(
                    f"[augmentation] {name} = {getattr(self, name)}: expected 0 to less than 1"
                )
        for name in ("shadows", "shifts"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"[augmentation] {name} = {getattr(self, name)}: expected 0 to 1")
        if not 0 < self.scale[0] <= self.scale[1] < float("inf"):
            raise UsageError(
                f"[augmentation] scale = {list(self.scale)}: expected two numbers above 0, the "
                "smaller first"
            )
        if self.crop is not None and self.crop < 1:
            raise UsageError(f"[augmentation] crop = {self.crop}: expected 1 pixel or more")


@dataclass(frozen=True, slots=True)
class Change:
    """What was drawn for one pair."""

    mirror: bool
    """Left and right."""
    overturn: bool
    """Up and down."""
    rotation_deg: float
    """Counter-clockwise, as displayed."""
    scale: float
    """Size over that of the image."""
    shift: tuple[float, float]
    """Down and to the right, in sides of the image."""
    contrast: float
    """Factor by which grey values differ from their mean."""
    brightness: float
    """Added to grey values, which are in [0, 1]."""
    exponent: float
    """Power of grey values."""
    noise_sd: float
    """In grey values."""
    noise_seed: int
    corner: tuple[float, float]
    """Of the patch: 0 top or left to 1 bottom or right."""
    shadows: tuple[Shadow, ...] = ()


def augment(
    batch: PairBatch,
    augmentation: DeviceAugmentation,
    rng: np.random.Generator,
    device: torch.device,
) -> PairBatch:
    """Moves a batch to `device` and changes every pair of it in its own way.

    One number is drawn from `rng`; the rest follows from it and the position of a pair in the batch
    of all processes together. So a pair changes equally in whatever part of the batch it comes,
    and draws the same whatever the device (the values of noise alone depend on its kind).

    Returns:
        Maps (n, 1, H, W), or (n, 1, crop, crop) patches with `grid` and `corners`. What enters a
        map from outside is 0 in all maps and in `content`.

    Raises:
        UsageError: patches larger than the images.
    """
    key = int(rng.integers(2**63))
    batch = shift_appearance(batch, augmentation.shifts, key)
    changes = [
        draw_change(augmentation, np.random.default_rng([key, batch.first + position]))
        for position in range(batch.image.shape[0])
    ]
    moved = change_position(batch.to(device), changes)
    if augmentation.changes_appearance:
        moved = change_appearance(moved, changes)
    elif moved.content is not None:
        moved = replace(moved, image=moved.image * moved.content)
    return moved if augmentation.crop is None else cut_patches(moved, augmentation.crop, changes)


def draw_change(augmentation: DeviceAugmentation, rng: np.random.Generator) -> Change:
    """Draws for one pair; every number is drawn always, so that a range changes no other."""
    between = rng.uniform
    return Change(
        mirror=bool(rng.random() < 0.5) and augmentation.flip_horizontal,
        overturn=bool(rng.random() < 0.5) and augmentation.flip_vertical,
        rotation_deg=augmentation.rotation_deg * between(-1, 1),
        scale=math.exp(between(*np.log(augmentation.scale))),
        shift=(augmentation.shift * between(-1, 1), augmentation.shift * between(-1, 1)),
        contrast=1 + augmentation.contrast * between(-1, 1),
        brightness=augmentation.brightness * between(-1, 1),
        exponent=math.exp(augmentation.gamma * between(-1, 1)),
        noise_sd=augmentation.noise * between(0, 1),
        noise_seed=int(rng.integers(2**63)),
        corner=(between(0, 1), between(0, 1)),
        shadows=draw_shadows(augmentation.shadows, rng),
    )


def shift_appearance(batch: PairBatch, share: float, key: int) -> PairBatch:
    """Changes the radiographs of a batch on the CPU, maps (n, 1, H, W), as archives do."""
    if not share:
        return batch
    images = [
        change_at_random(image[0].numpy(), share, np.random.default_rng([key, batch.first + n, 1]))
        for n, image in enumerate(batch.image)
    ]
    changed = torch.from_numpy(np.stack(images)[:, None])
    return replace(batch, image=changed if batch.content is None else changed * batch.content)


def change_position(batch: PairBatch, changes: Sequence[Change]) -> PairBatch:
    """Flips, rotates, scales and shifts all maps (n, 1, H, W) of each pair in one way.

    Rotation and scale are about the centre.

    Flips are exact. Else radiographs and clean targets are bilinear, masks take the nearest pixel,
    and so does the noise of measured targets (what the clean target, or without one a 5 × 5 box
    filter, leaves of them): averaging it would take away more than half of its variance, and a
    network would learn to be surer than it may be.
    """
    flipped = _flip(batch, changes)
    still = [c.rotation_deg == 0 and c.scale == 1 and c.shift == (0, 0) for c in changes]
    if all(still):
        return flipped
    device = batch.image.device
    where = _source_positions(changes, flipped.image.shape[2], flipped.image.shape[3], device)
    kept = torch.tensor(still, device=device)[:, None, None, None]

    def move(maps: Tensor, mode: str) -> Tensor:
        moved = F.grid_sample(maps, where, mode=mode, padding_mode="zeros", align_corners=False)
        return torch.where(kept, maps, moved) if any(still) else moved

    smooth = flipped.clean
    if smooth is None:
        smooth = F.avg_pool2d(flipped.target, 5, 1, 2, count_include_pad=False)
    content = flipped.content
    if content is None:
        content = torch.ones_like(flipped.image)
    exact = {
        "noise": flipped.target - smooth,
        "content": content,
        "lung": flipped.lung,
        "lung_weight": flipped.lung_weight,
    }
    known = {name: value for name, value in exact.items() if value is not None}
    nearest = dict(
        zip(known, move(torch.cat(list(known.values()), 1), "nearest").split(1, 1), strict=True)
    )
    image, smooth = move(torch.cat([flipped.image, smooth], 1), "bilinear").split(1, 1)
    noise = nearest.pop("noise")
    target = torch.where(kept, flipped.target, smooth + noise)
    clean = None if flipped.clean is None else smooth
    return replace(flipped, image=image, target=target, clean=clean, **nearest)


def change_appearance(batch: PairBatch, changes: Sequence[Change]) -> PairBatch:
    """Shadows, gamma, contrast about the mean, brightness and noise, clipped to [0, 1].

    All of the radiographs (n, 1, H, W) alone; shadows only where there is a lung mask to leave
    out. Padding keeps its 0, as it does where generators are used.
    """
    image = batch.image

    def column(values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=image.device)[:, None, None, None]

    content = torch.ones_like(image) if batch.content is None else batch.content
    appearance = image
    if batch.lung is not None:
        shadows = [c.shadows for c in changes]
        appearance = cast_shadows(image, batch.lung, batch.lung_weight, shadows)
    appearance = appearance ** column([c.exponent for c in changes])
    area = content.sum(dim=(1, 2, 3), keepdim=True).clamp_min(1)
    mean = (appearance * content).sum(dim=(1, 2, 3), keepdim=True) / area
    contrast = column([c.contrast for c in changes])
    # Written so that a factor of 1 changes no bit.
    appearance = appearance * contrast + mean * (1 - contrast)
    appearance = appearance + column([c.brightness for c in changes])
    appearance = appearance + _noise(image, changes)
    return replace(batch, image=appearance.clamp(0, 1) * content)


def cut_patches(batch: PairBatch, side: int, changes: Sequence[Change]) -> PairBatch:
    """One patch of `side` × `side` pixels from each pair, at one place in all of its maps.

    Maps (n, 1, H, W) become (n, 1, side, side).

    Raises:
        UsageError: patches larger than the images.
    """
    height, width = batch.image.shape[2:]
    if side > min(height, width):
        raise UsageError(
            f"[augmentation] crop = {side}, but images have {height} × {width} pixels; expected "
            "at most their side; make crop smaller, or size larger"
        )
    corners = [
        (int(c.corner[0] * (height - side + 1)), int(c.corner[1] * (width - side + 1)))
        for c in changes
    ]

    def cut(maps: Tensor) -> Tensor:
        return torch.stack(
            [
                maps[n, :, top : top + side, left : left + side]
                for n, (top, left) in enumerate(corners)
            ]
        )

    return replace(_each_map(batch, cut), grid=(height, width), corners=torch.tensor(corners))


def _flip(batch: PairBatch, changes: Sequence[Change]) -> PairBatch:
    wanted = ((3, [c.mirror for c in changes]), (2, [c.overturn for c in changes]))

    def flip(maps: Tensor) -> Tensor:
        for dimension, flags in wanted:
            if any(flags):
                chosen = torch.tensor(flags, device=maps.device)[:, None, None, None]
                maps = torch.where(chosen, maps.flip(dimension), maps)
        return maps

    return _each_map(batch, flip)


def _source_positions(
    changes: Sequence[Change], height: int, width: int, device: torch.device
) -> Tensor:
    """(n, H, W, 2) float32 for `grid_sample`: where each pixel of a changed map comes from.

    Element by element, and not by a matrix product, whose rounding depends on the batch.
    """

    def column(values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=device)[:, None, None]

    down = torch.arange(height, dtype=torch.float32, device=device) - (height - 1) / 2
    right = torch.arange(width, dtype=torch.float32, device=device) - (width - 1) / 2
    y = down[None, :, None] - column([c.shift[0] * height for c in changes])
    x = right[None, None, :] - column([c.shift[1] * width for c in changes])
    angles = [math.radians(c.rotation_deg) for c in changes]
    cosine = column([math.cos(t) / c.scale for t, c in zip(angles, changes, strict=True)])
    sine = column([math.sin(t) / c.scale for t, c in zip(angles, changes, strict=True)])
    # Rows point down: what is displayed counter-clockwise rotates the other way in (y, x).
    source_x = cosine * x - sine * y
    source_y = sine * x + cosine * y
    return torch.stack([source_x * (2 / width), source_y * (2 / height)], dim=-1)


def _noise(image: Tensor, changes: Sequence[Change]) -> Tensor:
    noise = torch.zeros_like(image)
    for position, change in enumerate(changes):
        if change.noise_sd:
            generator = torch.Generator(image.device).manual_seed(change.noise_seed)
            torch.randn(image.shape[1:], generator=generator, out=noise[position])
            noise[position] *= change.noise_sd
    return noise


def _each_map(batch: PairBatch, change: Callable[[Tensor], Tensor]) -> PairBatch:
    names = ("image", "target", "clean", "lung", "lung_weight", "content")
    maps: dict[str, Any] = {
        name: change(value) for name in names if (value := getattr(batch, name)) is not None
    }
    return replace(batch, **maps)
