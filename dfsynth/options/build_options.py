"""What `dfsynth build` is asked to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Literal, TypeAlias

from dfsynth.errors import UsageError
from dfsynth.options.checks import require_one_of, require_out, require_positive, require_run
from dfsynth.options.coercion import (
    RENAMED,
    to_batch_size,
    to_names,
    to_optional_path,
    to_partition,
    to_size,
)
from dfsynth.options.given import GivenOptions
from dfsynth.records import MAP_NAMES, MONTE_CARLO_MODES, MonteCarloMode

StoredFloat: TypeAlias = Literal["float16", "float32"]
ViewChoice: TypeAlias = Literal["frontal", "all"]
DtypeChoice: TypeAlias = Literal["float32-rounded", "float32", "float16"]

DEFAULT_MAPS: Final = ("dark_field", "aleatoric", "epistemic")
DEFAULT_SHARD_SIZE: Final = 256
DEFAULT_MC_SAMPLES: Final = 20
DTYPES: Final[Mapping[DtypeChoice, tuple[StoredFloat, int | None]]] = {
    "float32-rounded": ("float32", 10),
    "float32": ("float32", None),
    "float16": ("float16", None),
}
"""What `--dtype` names: the stored type, and the mantissa bits that values are rounded to."""
DEFAULT_DTYPE: Final = "float32-rounded"
PRECISIONS: Final = ("auto", "fp32", "bf16", "fp16")
VIEW_CHOICES: Final = ("frontal", "all")
_LARGEST_SIDE: Final = 4096


@dataclass(frozen=True, slots=True)
class BuildOptions(GivenOptions):
    """What `dfsynth build` is asked to do.

    Raises:
        UsageError: a value out of its range.
    """

    _coercions: ClassVar = {
        "source": str,
        "out": Path,
        "root": to_optional_path,
        "checkpoint": str,
        "size": to_size,
        "batch_size": to_batch_size,
        "partition": to_partition,
        "maps": to_names,
    }
    _renamed: ClassVar = RENAMED

    source: str
    out: Path
    root: Path | None = None
    checkpoint: str = "default"
    size: tuple[int, int] | None = None
    """Grid (height, width); the checkpoint's own by default."""
    mc_samples: int = DEFAULT_MC_SAMPLES
    mc: MonteCarloMode = "full"
    """`full`: every sample through every stage; `fast`: one pass of each member."""
    seed: int = 0
    batch_size: int | None = None
    """Images a batch; by the device by default."""
    precision: str = "auto"
    device: str = "auto"
    shard_size: int = DEFAULT_SHARD_SIZE
    partition: tuple[int, int] = (0, 1)
    """(I, N): this process takes the shards I, I + N, I + 2N, …"""
    workers: int | None = None
    """Decoding threads; one a core by default."""
    limit: int | None = None
    views: ViewChoice | None = None
    """`frontal`: images of a corpus that are known not to be frontal are left out; `all`: they
    stay. What a store has, or `frontal`, by default."""
    maps: tuple[str, ...] = DEFAULT_MAPS
    dtype: DtypeChoice | None = None
    """A key of `DTYPES`; by default that of the store, and `DEFAULT_DTYPE` of a new one."""
    max_pixels: int | None = None
    """Largest image that is decoded; the decoder's own limit by default."""
    max_bytes: int | None = None
    """Largest file that is read; the decoder's own limit by default."""
    overwrite: bool = False

    def __post_init__(self) -> None:
        for name in ("mc_samples", "shard_size"):
            require_positive(name, getattr(self, name))
        for name in ("batch_size", "workers", "limit", "max_pixels", "max_bytes"):
            if getattr(self, name) is not None:
                require_positive(name, getattr(self, name))
        require_run(self.partition, self.seed, self.device)
        require_one_of("--mc", self.mc, MONTE_CARLO_MODES)
        if self.views is not None:
            require_one_of("--views", self.views, VIEW_CHOICES)
        if self.dtype is not None and self.dtype not in DTYPES:
            raise UsageError(f"--dtype {self.dtype!r}: expected {', '.join(DTYPES)}")
        if self.size is not None and not all(16 <= side <= _LARGEST_SIDE for side in self.size):
            raise UsageError(
                f"--size {self.size[0]}x{self.size[1]}: expected sides of 16 to {_LARGEST_SIDE}"
            )
        if self.precision not in PRECISIONS:
            raise UsageError(f"--precision {self.precision!r}: expected {', '.join(PRECISIONS)}")
        require_out(self.out)
        self._check_maps()

    def _check_maps(self) -> None:
        unknown = [name for name in self.maps if name not in MAP_NAMES]
        if unknown or not self.maps or len(set(self.maps)) != len(self.maps):
            raise UsageError(
                f"--maps {','.join(self.maps) or '(none)'}: expected each at most once of "
                f"{', '.join(MAP_NAMES)}"
            )
