"""What a lung segmentation network predicts of a radiograph, and the network that predicts it."""

from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from dfsynth.models.unet import UNet
from dfsynth.records import Float32Map

OUTPUT_CHANNELS: Final = 3
"""Of the network: logit of lung field, logit of any lung, thickness before `thickness_mm`."""
_THICKNESS_UNIT_MM: Final = 100.0


@dataclass(frozen=True, slots=True)
class LungPrediction:
    """Where lung is and how much of it the beam passes; all maps (y, x) float32."""

    field: Float32Map
    """Probability, 0 to 1, of the lung field as people outline it: without heart and
    mediastinum, above the domes of the diaphragm."""
    any_lung: Float32Map
    """Probability, 0 to 1, of any lung along the ray, with what heart and domes hide."""
    thickness_mm: Float32Map
    """Expected path of the ray in lung, in mm, at least 0."""


class LungSegmenter(Protocol):
    """Finds lungs on radiographs."""

    def __call__(self, image: Float32Map) -> LungPrediction:
        """Predicts maps of the shape of `image`: (y, x), square, in [0, 1], dense is bright,
        padding is 0."""


def thickness_mm(output: torch.Tensor) -> torch.Tensor:
    """The network's third output, of any shape, as a thickness in mm, above 0."""
    return _THICKNESS_UNIT_MM * F.softplus(output)


@dataclass(frozen=True, slots=True)
class LungSegmentationNetwork:
    """A U-Net with `OUTPUT_CHANNELS` outputs; implements `LungSegmenter`."""

    network: UNet
    side: int
    """Pixels a side of the square grid that it was trained on; other images are resampled."""

    @torch.inference_mode()
    def __call__(self, image: Float32Map) -> LungPrediction:
        """Averages the prediction of an image (y, x) with that of its mirror image.

        Raises:
            ValueError: the image is not square.
        """
        height, width = image.shape
        if height != width:
            raise ValueError(f"expected a square image, found {height} × {width} pixels")
        small = _resized(image, self.side)
        both = torch.from_numpy(np.stack([small, small[:, ::-1]]))[:, None]
        masks = [torch.ones(2, channels) for channels in self.network.dropout_channels]
        output = self.network.decode(self.network.encode(both), masks)
        maps = torch.cat([torch.sigmoid(output[:, :2]), thickness_mm(output[:, 2:])], dim=1)
        mean = ((maps[0] + maps[1].flip(-1)) / 2).numpy()
        return LungPrediction(*(_resized(m, height) for m in mean))


def _resized(values: Float32Map, side: int) -> Float32Map:
    if values.shape[0] == side:
        return values
    how = cv2.INTER_AREA if side < values.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, (side, side), interpolation=how), np.float32)
