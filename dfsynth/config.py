"""The configuration of a build, validated whole before any work."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from dfsynth.errors import UsageError
from dfsynth.records import MAP_NAMES

StoredFloat: TypeAlias = Literal["float16", "float32"]

DEFAULT_MAPS: Final = ("dark_field", "aleatoric", "epistemic")
DEFAULT_SHARD_SIZE: Final = 256
DEFAULT_MC_SAMPLES: Final = 20
PRECISIONS: Final = ("auto", "fp32", "bf16", "fp16")
_LARGEST_SIDE: Final = 4096


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What `dfsynth build` is asked to do.

    Raises:
        UsageError: a value out of its range.
    """

    source: str
    out: Path
    root: Path | None = None
    checkpoint: str = "default"
    size: tuple[int, int] | None = None
    """Grid (height, width); the checkpoint's own by default."""
    mc_samples: int = DEFAULT_MC_SAMPLES
    seed: int = 0
    batch_size: int | None = None
    """Images a batch; by the device by default."""
    precision: str = "auto"
    device: str = "auto"
    shard_size: int = DEFAULT_SHARD_SIZE
    share: tuple[int, int] = (0, 1)
    """(I, N): this process takes the shards I, I + N, I + 2N, …"""
    workers: int | None = None
    """Decoding threads; one a core by default."""
    limit: int | None = None
    maps: tuple[str, ...] = DEFAULT_MAPS
    dtype: StoredFloat = "float16"
    max_pixels: int | None = None
    """Largest picture that is decoded; the decoder's own limit by default."""
    max_bytes: int | None = None
    """Largest file that is read; the decoder's own limit by default."""
    overwrite: bool = False

    def __post_init__(self) -> None:
        for name in ("mc_samples", "shard_size"):
            _require_positive(name, getattr(self, name))
        for name in ("batch_size", "workers", "limit", "max_pixels", "max_bytes"):
            if getattr(self, name) is not None:
                _require_positive(name, getattr(self, name))
        index, count = self.share
        if not 0 <= index < count:
            raise UsageError(f"--shard {index}/{count}: expected I/N with 0 <= I < N")
        if self.seed < 0:
            raise UsageError(f"--seed {self.seed}: expected 0 or more")
        if self.dtype not in ("float16", "float32"):
            raise UsageError(f"--dtype {self.dtype!r}: expected float16 or float32")
        if self.size is not None and not all(16 <= side <= _LARGEST_SIDE for side in self.size):
            raise UsageError(
                f"--size {self.size[0]}x{self.size[1]}: expected sides of 16 to {_LARGEST_SIDE}"
            )
        if self.precision not in PRECISIONS:
            raise UsageError(f"--precision {self.precision!r}: expected {', '.join(PRECISIONS)}")
        # Whether the device is there is asked of torch, later; this is spelling alone.
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", self.device):
            raise UsageError(f"--device {self.device!r}: expected auto, cpu, cuda or cuda:0, …")
        if self.out.suffix in (".h5", ".hdf5"):
            raise UsageError(
                f"--out {self.out}: HDF5 stores are not written yet; choose a name like "
                f"{self.out.with_suffix('.zarr').name}"
            )
        self._check_maps()

    def _check_maps(self) -> None:
        unknown = [name for name in self.maps if name not in MAP_NAMES]
        if unknown or not self.maps or len(set(self.maps)) != len(self.maps):
            raise UsageError(
                f"--maps {','.join(self.maps) or '(none)'}: expected each at most once of "
                f"{', '.join(MAP_NAMES)}"
            )


def _require_positive(name: str, value: int) -> None:
    if value < 1:
        raise UsageError(f"--{name.replace('_', '-')} {value}: expected 1 or more")
