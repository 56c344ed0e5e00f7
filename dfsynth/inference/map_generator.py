"""What a network of any family becomes once it is ready to be run: a generator of maps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map, Generated, ModelInput
from dfsynth.trust import Learned

Content: TypeAlias = tuple[slice, slice]
"""The rows and columns of a grid that hold an image."""


@dataclass(frozen=True, slots=True)
class MapBatch:
    """Maps of several images, each (n, H, W) float32, in the unit of the output."""

    mean: Float32Map
    """The output image: the mean of the predictive distribution."""
    aleatoric: Float32Map
    """Standard deviation of the noise that the network predicts, or that its samples have; above 0.
    """
    epistemic: Float32Map
    """Standard deviation of the means over the samples or, of networks whose samples are images,
    between networks; at least 0."""
    lung: Float32Map | None
    """Probability of lung in [0, 1]; None for a network without lung output."""
    beta: Float32Map | None = None
    """Mean shape of the generalised Gaussian over the samples; `stages` gives it."""
    learned: tuple[Learned, ...] | None = None
    """What the checkpoint's heads say of each image; with the last stage alone, and None for a
    checkpoint without heads."""

    def image(self, index: int) -> Generated:
        """Gives the maps of one image, and what the heads say of it."""
        learned = None if self.learned is None else self.learned[index]
        return Generated(
            mean=self.mean[index],
            aleatoric=self.aleatoric[index],
            epistemic=self.epistemic[index],
            lung=None if self.lung is None else self.lung[index],
            learned=None if learned is None else learned.scores,
            learned_flags=() if learned is None else learned.flags,
        )


class MapGenerator(Protocol):
    """A network on its device, with precision, number of samples and seed decided.

    An image's maps depend on its pixels, its id and the seed, whatever batch it travels in. Images
    are model inputs: in [0, 1], dense bright, of a checkpoint that windows by percentiles; any
    finite values of one that takes a range of values in a unit.
    """

    def auto_batch_size(self, grid: tuple[int, int]) -> int:
        """Chooses how many images of (height, width) make a batch."""

    def generate(self, inputs: Sequence[ModelInput], image_ids: Sequence[str]) -> list[Generated]:
        """Makes the maps of each input; all have one grid (H, W).

        Raises:
            DfsynthError: the batch does not fit the device.
        """

    def stages(
        self,
        images: NDArray[np.floating],
        image_ids: Sequence[str] | None = None,
        contents: Sequence[Content] | None = None,
    ) -> list[MapBatch]:
        """Makes the maps of every stage, with `beta`, of images (n, H, W).

        `contents` are the (y, x) slices of each image that are no padding; all of it by default.

        Raises:
            ValueError: the images have another shape, whole numbers or values that the checkpoint
                does not take, or not as many ids.
            DfsynthError: the batch does not fit the device.
        """

    def __call__(
        self, images: NDArray[np.floating], image_ids: Sequence[str] | None = None
    ) -> MapBatch:
        """Makes the maps of the last stage, of images (n, H, W).

        Raises:
            ValueError: the images have another shape, whole numbers or values that the checkpoint
                does not take, or not as many ids.
            DfsynthError: the batch does not fit the device.
        """
