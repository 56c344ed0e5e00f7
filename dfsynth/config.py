"""The configuration of a build or a simulation, validated whole before any work."""

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

DEFAULT_PAIRS_SHARD_SIZE: Final = 64
DEFAULT_PAIRS_SIZE: Final = 512
ORIGINS: Final = ("phantom", "ct", "cxr", "mixed")
LAYERS: Final = (
    "heterogeneity",
    "emphysema",
    "opacities",
    "hardening",
    "scatter",
    "noise",
    "stripes",
    "moire",
    "blur",
    "motion",
    "display",
)
"""What a simulation can be made without."""
_SIDES: Final = (64, 1024)
_SIDE_STEP: Final = 32
_KVP: Final = (50.0, 150.0)
_USUAL_KVP: Final = (90.0, 125.0)


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
        _check_run(self.share, self.seed, self.device)
        if self.dtype not in ("float16", "float32"):
            raise UsageError(f"--dtype {self.dtype!r}: expected float16 or float32")
        if self.size is not None and not all(16 <= side <= _LARGEST_SIDE for side in self.size):
            raise UsageError(
                f"--size {self.size[0]}x{self.size[1]}: expected sides of 16 to {_LARGEST_SIDE}"
            )
        if self.precision not in PRECISIONS:
            raise UsageError(f"--precision {self.precision!r}: expected {', '.join(PRECISIONS)}")
        _check_out(self.out)
        self._check_maps()

    def _check_maps(self) -> None:
        unknown = [name for name in self.maps if name not in MAP_NAMES]
        if unknown or not self.maps or len(set(self.maps)) != len(self.maps):
            raise UsageError(
                f"--maps {','.join(self.maps) or '(none)'}: expected each at most once of "
                f"{', '.join(MAP_NAMES)}"
            )


@dataclass(frozen=True, slots=True)
class SimulateOptions:
    """What `dfsynth simulate` is asked to do.

    Raises:
        UsageError: a value out of its range, or options that do not belong together.
    """

    out: Path
    n: int
    """Pairs."""
    size: int = DEFAULT_PAIRS_SIZE
    """Side of the square images, in pixels."""
    origin: str = "phantom"
    ct: Path | None = None
    """Folder of CT volumes."""
    cxr: Path | None = None
    """Folder of radiographs, or a table with their paths."""
    seed: int = 0
    severity: tuple[float, float] = (0.0, 1.0)
    """Of emphysema: the range that is drawn from."""
    kvp: tuple[float, float] = _USUAL_KVP
    """Tube voltage in kV of the attenuation image: the range that is drawn from."""
    without: tuple[str, ...] = ()
    """Layers that are switched off, of `LAYERS`."""
    devices: float = 0.0
    """Share of pairs with pacemakers, leads or markers."""
    shard_size: int = DEFAULT_PAIRS_SHARD_SIZE
    share: tuple[int, int] = (0, 1)
    """(I, N): this process takes the shards I, I + N, I + 2N, …"""
    workers: int | None = None
    """Pairs made at the same time; one a core by default."""
    device: str = "auto"
    overwrite: bool = False

    def __post_init__(self) -> None:
        _require_positive("n", self.n)
        _require_positive("shard_size", self.shard_size)
        if self.workers is not None:
            _require_positive("workers", self.workers)
        _check_run(self.share, self.seed, self.device)
        _check_out(self.out)
        low, high = _SIDES
        if not low <= self.size <= high or self.size % _SIDE_STEP:
            raise UsageError(
                f"--size {self.size}: expected 256, 512 or 1024, or another multiple of "
                f"{_SIDE_STEP} from {low} to {high}"
            )
        _check_range("severity", self.severity, (0.0, 1.0))
        _check_range("kvp", self.kvp, _KVP)
        if not 0 <= self.devices <= 1:
            raise UsageError(f"--devices {self.devices:g}: expected a share from 0 to 1")
        unknown = [name for name in self.without if name not in LAYERS]
        if unknown or len(set(self.without)) != len(self.without):
            raise UsageError(
                f"--without {','.join(self.without)}: expected each at most once of "
                f"{', '.join(LAYERS)}"
            )
        self._check_origin()

    @property
    def unused_by_radiographs(self) -> tuple[str, ...]:
        """What is asked of the attenuation image alone, which for `cxr` is the radiograph as is."""
        asked = {
            f"--kvp {self.kvp[0]:g}:{self.kvp[1]:g}": self.kvp != _USUAL_KVP,
            f"--devices {self.devices:g}": self.devices > 0,
            "--without display": "display" in self.without,
        }
        return tuple(text for text, wanted in asked.items() if wanted)

    def _check_origin(self) -> None:
        """Folders are given where they are used, and only there."""
        if self.origin not in ORIGINS:
            raise UsageError(f"--origin {self.origin!r}: expected {', '.join(ORIGINS)}")
        folders = {"ct": self.ct, "cxr": self.cxr}
        if self.origin == "mixed" and not any(folders.values()):
            raise UsageError("--origin mixed: expected --ct, --cxr or both, found neither")
        if self.origin in folders and folders[self.origin] is None:
            raise UsageError(f"--origin {self.origin}: expected --{self.origin} DIR, found none")
        for name, folder in folders.items():
            if folder is not None and self.origin not in (name, "mixed"):
                raise UsageError(
                    f"--{name} {folder}: expected --origin {name} or mixed, found {self.origin}"
                )
        if self.origin == "cxr" and self.unused_by_radiographs:
            raise UsageError(
                f"{' and '.join(self.unused_by_radiographs)}: expected nothing of the kind with "
                "--origin cxr, which leaves radiographs as they are; leave it out"
            )


def _require_positive(name: str, value: int) -> None:
    if value < 1:
        raise UsageError(f"--{name.replace('_', '-')} {value}: expected 1 or more")


def _check_run(share: tuple[int, int], seed: int, device: str) -> None:
    index, count = share
    if not 0 <= index < count:
        raise UsageError(f"--shard {index}/{count}: expected I/N with 0 <= I < N")
    if seed < 0:
        raise UsageError(f"--seed {seed}: expected 0 or more")
    # Whether the device is there is asked of torch, later; this is spelling alone.
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise UsageError(f"--device {device!r}: expected auto, cpu, cuda or cuda:0, …")


def _check_out(out: Path) -> None:
    if out.suffix in (".h5", ".hdf5"):
        raise UsageError(
            f"--out {out}: HDF5 stores are not written yet; choose a name like "
            f"{out.with_suffix('.zarr').name}"
        )


def _check_range(name: str, found: tuple[float, float], ends: tuple[float, float]) -> None:
    low, high = found
    # Written so that NaN is refused too.
    if not ends[0] <= low <= high <= ends[1]:
        raise UsageError(
            f"--{name} {low:g}:{high:g}: expected MIN:MAX with "
            f"{ends[0]:g} <= MIN <= MAX <= {ends[1]:g}"
        )
