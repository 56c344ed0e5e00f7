"""Pairs of known truth under shift: what archives and people do to radiographs, truth included."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from dfsynth.datasets import PairImages
from dfsynth.datasets.shifts import APPEARANCES, Appearance
from dfsynth.preprocess import letterbox, to_grid, to_unit_range
from dfsynth.records import Float32Map, Intensity, ModelInput


@dataclass(frozen=True, slots=True, eq=False)
class TruePicture:
    """A radiograph and the truth about it, all (y, x) of one shape, without padding."""

    image: Float32Map
    """In [0, 1], dense is bright."""
    clean: Float32Map
    noisy: Float32Map
    lung: NDArray[np.bool_]

    @classmethod
    def of(cls, pair: PairImages) -> "TruePicture":
        """The content of a pair.

        Raises:
            ValueError: it has no clean target or no lung mask.
        """
        if pair.clean is None or pair.lung is None:
            raise ValueError("expected a clean target and a lung mask")
        c = pair.content
        return cls(pair.image[c], pair.clean[c], pair.target[c], pair.lung[c] > 0.5)

    def moved(self, move: Callable[[Float32Map], Float32Map]) -> "TruePicture":
        """The picture with all maps (y, x) changed in one way."""
        lung = move(self.lung.astype(np.float32)) > 0.5
        return TruePicture(move(self.image), move(self.clean), move(self.noisy), lung)


Shift: TypeAlias = Callable[[TruePicture, Generator], TruePicture]


def _as_it_is(picture: TruePicture, _: Generator) -> TruePicture:
    return picture


def _of_appearance(change: Appearance) -> Shift:
    def shift(picture: TruePicture, rng: Generator) -> TruePicture:
        return replace(picture, image=change(picture.image, rng))

    return shift


def _inverted(picture: TruePicture, _: Generator) -> TruePicture:
    """The wrong polarity: dense is dark."""
    return replace(picture, image=1 - picture.image)


def _tilted(picture: TruePicture, rng: Generator) -> TruePicture:
    """Rotated by 12° to 40° to either side."""
    angle = float(rng.choice([-1, 1]) * rng.uniform(12, 40))
    height, width = picture.image.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    return picture.moved(lambda m: np.asarray(cv2.warpAffine(m, turn, (width, height)), np.float32))


def _turned(picture: TruePicture, rng: Generator) -> TruePicture:
    """By 90°, 180° or 270°."""
    times = int(rng.integers(1, 4))
    return picture.moved(lambda m: np.ascontiguousarray(np.rot90(m, times)))


def _cropped(picture: TruePicture, rng: Generator) -> TruePicture:
    """A part of 55 % to 85 % of both sides."""
    height, width = picture.image.shape
    share = rng.uniform(0.55, 0.85)
    rows, columns = int(height * share), int(width * share)
    top = int(rng.integers(0, height - rows + 1))
    left = int(rng.integers(0, width - columns + 1))
    return picture.moved(lambda m: np.ascontiguousarray(m[top : top + rows, left : left + columns]))


def _half_chest(picture: TruePicture, rng: Generator) -> TruePicture:
    """The left or the right half, or a little more."""
    width = picture.image.shape[1]
    kept = int(width * rng.uniform(0.45, 0.56))
    columns = slice(0, kept) if rng.random() < 0.5 else slice(width - kept, width)
    return picture.moved(lambda m: np.ascontiguousarray(m[:, columns]))


def _collimated(picture: TruePicture, rng: Generator) -> TruePicture:
    """Blades cover up to a quarter of each side; nothing is seen there, and nothing scatters."""
    height, width = picture.image.shape
    open_field = np.zeros_like(picture.image)
    top, bottom = (int(height * rng.uniform(0, 0.25)) for _ in range(2))
    left, right = (int(width * rng.uniform(0, 0.25)) for _ in range(2))
    open_field[top : height - bottom, left : width - right] = 1
    covered = picture.moved(lambda m: m * open_field)
    shade = np.float32(rng.choice([0.0, 1.0]))
    return replace(covered, image=covered.image + shade * (1 - open_field))


SHIFTS: Final[Mapping[str, Shift]] = {
    "none": _as_it_is,
    **{name: _of_appearance(change) for name, change in APPEARANCES.items()},
    "inverted": _inverted,
    "tilted": _tilted,
    "turned": _turned,
    "cropped": _cropped,
    "half_chest": _half_chest,
    "collimated": _collimated,
}
"""Kinds of shift by name; `none` among them."""
HELD_OUT_SHIFTS: Final = ("gamma", "low_dose", "devices", "gas", "collimated", "half_chest")
"""Kinds that heads are tested on and never trained on."""


def to_model_input(image: Float32Map, grid: tuple[int, int], intensity: Intensity) -> ModelInput:
    """A radiograph (y, x) of any size as a generator takes it: letterboxed, windowed anew."""
    geometry = letterbox(image.shape, grid)
    padded = np.zeros(grid, np.float32)
    padded[geometry.content] = to_unit_range(to_grid(image, geometry), intensity)
    return ModelInput(padded, geometry, None, ())
