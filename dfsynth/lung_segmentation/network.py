"""What a lung reader says of a radiograph, and the network that says it."""

from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from dfsynth.models.unet import UNet
from dfsynth.records import Float32Map

READER_OUTPUTS: Final = 3
"""Of the network: logit of lung field, logit of any lung, thickness before `thickness_mm`."""
_THICKNESS_UNIT_MM: Final = 100.0


@dataclass(frozen=True, slots=True)
class LungReading:
    """Where lung is and how much of it the beam passes; all (y, x) float32."""

    field: Float32Map
    """Probability of lung field as people outline it: no heart, no mediastinum, above the domes."""
    any_lung: Float32Map
    """Probability of any lung along the ray, with what the heart and the domes hide."""
    thickness_mm: Float32Map
    """Expected path in lung, at least 0."""


class LungReader(Protocol):
    """Reads lungs from radiographs."""

    def __call__(self, image: Float32Map) -> LungReading:
        """Reads `image` (y, x), square, in [0, 1], dense bright, padding 0; maps of its shape."""


def thickness_mm(output: torch.Tensor) -> torch.Tensor:
    """The third output of a reader's network, any shape, → mm, above 0."""
    return _THICKNESS_UNIT_MM * F.softplus(output)


@dataclass(frozen=True, slots=True)
class NetworkReader:
    """A U-Net with `READER_OUTPUTS` outputs as a `LungReader`."""

    network: UNet
    side: int
    """Of the square grid that it was trained on; other pictures are resampled to it."""

    @torch.inference_mode()
    def __call__(self, image: Float32Map) -> LungReading:
        """Averages the reading with that of the mirrored picture.

        Raises:
            ValueError: the picture is not square.
        """
        height, width = image.shape
        if height != width:
            raise ValueError(f"expected a square picture, found {height} × {width} pixels")
        small = _resized(image, self.side)
        both = torch.from_numpy(np.stack([small, small[:, ::-1]]))[:, None]
        masks = [torch.ones(2, channels) for channels in self.network.dropout_channels]
        output = self.network.decode(self.network.encode(both), masks)
        maps = torch.cat([torch.sigmoid(output[:, :2]), thickness_mm(output[:, 2:])], dim=1)
        mean = ((maps[0] + maps[1].flip(-1)) / 2).numpy()
        return LungReading(*(_resized(m, height) for m in mean))


def _resized(values: Float32Map, side: int) -> Float32Map:
    if values.shape[0] == side:
        return values
    how = cv2.INTER_AREA if side < values.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, (side, side), interpolation=how), np.float32)
