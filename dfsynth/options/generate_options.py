"""How `dfsynth.generate` makes one image: by the options of a build that decide its values."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from dfsynth.options.build_options import (
    DEFAULT_DTYPE,
    DEFAULT_MC_SAMPLES,
    BuildOptions,
    DtypeChoice,
)
from dfsynth.options.coercion import to_batch_size, to_size
from dfsynth.options.given import GivenOptions
from dfsynth.records import MonteCarloMode, SamplerName


@dataclass(frozen=True, slots=True)
class GenerateOptions(GivenOptions):
    """What `dfsynth.generate` is asked to do; equal options give what a build gives, bit for bit.

    Raises:
        UsageError: a value out of its range.
    """

    _coercions: ClassVar = {
        "checkpoint": str,
        "size": to_size,
        "batch_size": to_batch_size,
    }

    checkpoint: str = "default"
    size: tuple[int, int] | None = None
    """Grid (height, width); the checkpoint's own by default."""
    mc_samples: int = DEFAULT_MC_SAMPLES
    mc: MonteCarloMode = "full"
    """`full`: every sample through every stage; `fast`: one pass of each member."""
    sampler: SamplerName | None = None
    """What leads from noise to a sample, of a checkpoint that draws them; that of its card by
    default, as of the two below."""
    sampler_steps: int | None = None
    """Passes of the network to a sample."""
    guidance: float | None = None
    """Weight of classifier-free guidance, 0 or more."""
    seed: int = 0
    batch_size: int | None = None
    """Images of the batch that the image is computed in, filled up with itself; that of a build by
    default. 1 is faster on a CPU and may differ from a build in the last bits."""
    precision: str = "auto"
    device: str = "auto"
    dtype: DtypeChoice = DEFAULT_DTYPE
    """How values are rounded: as a store of this type holds them."""
    max_pixels: int | None = None
    """Largest image that is decoded; the decoder's own limit by default."""
    max_bytes: int | None = None
    """Largest file that is read; the decoder's own limit by default."""
    image_id: str | None = None
    """What the image is called, on which its dropout masks depend; the name of a file, else "0", by
    default. Builds of a folder call an image by its path in the folder."""
    inverted: bool = False
    """Whether dense tissue is dark in what is given, whatever the file says of it."""

    def __post_init__(self) -> None:
        # Its checks are those of a build.
        _ = self.as_build

    @property
    def as_build(self) -> BuildOptions:
        """A build that gives an image the same values; its source and store stand for nothing."""
        return BuildOptions(
            source="image",
            out=Path("image.zarr"),
            checkpoint=self.checkpoint,
            size=self.size,
            mc_samples=self.mc_samples,
            mc=self.mc,
            sampler=self.sampler,
            sampler_steps=self.sampler_steps,
            guidance=self.guidance,
            seed=self.seed,
            batch_size=self.batch_size,
            precision=self.precision,
            device=self.device,
            dtype=self.dtype,
            max_pixels=self.max_pixels,
            max_bytes=self.max_bytes,
        )
