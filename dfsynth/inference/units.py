"""Maps of networks whose output is near [0, 1], in the unit of what they stand for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dfsynth.inference.map_generator import Content, MapBatch, MapGenerator
from dfsynth.records import Generated, IntensityRange, ModelInput


@dataclass(frozen=True, slots=True)
class InUnits:
    """Implements `MapGenerator` for a network that gives `output.low` as 0 and `output.high` as 1.

    The mean becomes low + (high - low) · mean, and both deviations (high - low) times theirs. Heads
    for trust judge what the network gave.
    """

    generator: MapGenerator
    output: IntensityRange

    def auto_batch_size(self, grid: tuple[int, int]) -> int:
        """See `MapGenerator`; `grid` is (height, width) in pixels."""
        return self.generator.auto_batch_size(grid)

    def generate(self, inputs: Sequence[ModelInput], image_ids: Sequence[str]) -> list[Generated]:
        """See `MapGenerator`; all inputs have one grid (H, W).

        Raises:
            DfsynthError: the batch does not fit the device.
        """
        output = self.output
        return [
            replace(
                found,
                mean=output.restore(found.mean),
                aleatoric=output.restore_deviation(found.aleatoric),
                epistemic=output.restore_deviation(found.epistemic),
            )
            for found in self.generator.generate(inputs, image_ids)
        ]

    def stages(
        self,
        images: NDArray[np.floating],
        image_ids: Sequence[str] | None = None,
        contents: Sequence[Content] | None = None,
    ) -> list[MapBatch]:
        """See `MapGenerator`; images are (n, H, W).

        Raises:
            ValueError: images that the checkpoint does not take, or not as many ids.
            DfsynthError: the batch does not fit the device.
        """
        return [self._restored(m) for m in self.generator.stages(images, image_ids, contents)]

    def __call__(
        self, images: NDArray[np.floating], image_ids: Sequence[str] | None = None
    ) -> MapBatch:
        """See `MapGenerator`; images are (n, H, W).

        Raises:
            ValueError: images that the checkpoint does not take, or not as many ids.
            DfsynthError: the batch does not fit the device.
        """
        return self._restored(self.generator(images, image_ids))

    def _restored(self, maps: MapBatch) -> MapBatch:
        return replace(
            maps,
            mean=self.output.restore(maps.mean),
            aleatoric=self.output.restore_deviation(maps.aleatoric),
            epistemic=self.output.restore_deviation(maps.epistemic),
        )
