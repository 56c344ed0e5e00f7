"""What `dfsynth simulate` is asked to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from dfsynth.errors import UsageError
from dfsynth.options.checks import require_out, require_positive, require_range, require_run
from dfsynth.options.coercion import (
    RENAMED,
    to_names,
    to_optional_path,
    to_partition,
    to_path,
    to_range,
)
from dfsynth.options.given import GivenOptions
from dfsynth.tasks import DEFAULT_TASK, task_named

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
CT_TASK: Final = "dark-field-ct"
CT_LAYERS: Final = frozenset({"heterogeneity", "emphysema", "opacities", "noise"})
"""Those of `LAYERS` that slices of dark-field CT have."""
BEAMS: Final = ("parallel", "fan")
SCAN_FIELDS: Final[Mapping[str, str]] = {
    "rotations": "rotations",
    "shots": "shots_per_rotation",
    "window_shots": "window_shots",
    "beam": "beam",
    "vibration": "vibration_scale",
    "drift": "drift_cycles_per_s",
}
"""Options of dark-field CT alone → what the scanner's settings call them."""
SCAN_OPTIONS: Final[Mapping[str, str]] = {
    field: f"--{name.replace('_', '-')}" for name, field in SCAN_FIELDS.items()
}
"""Settings of the scanner → the options that set them, as people write them."""
_SIDES: Final = (64, 1024)
_SIDE_STEP: Final = 32
_CT_SIDE_STEP: Final = 8
_KVP: Final = (50.0, 150.0)
_USUAL_KVP: Final = (90.0, 125.0)


@dataclass(frozen=True, slots=True)
class SimulateOptions(GivenOptions):
    """What `dfsynth simulate` is asked to do.

    Raises:
        UsageError: a value out of its range, or options that do not belong together.
    """

    _coercions: ClassVar = {
        "out": to_path,
        "ct": to_optional_path,
        "cxr": to_optional_path,
        "severity": partial(to_range, "--severity"),
        "kvp": partial(to_range, "--kvp"),
        "without": to_names,
        "partition": to_partition,
    }
    _renamed: ClassVar = RENAMED

    out: Path
    n: int
    """Pairs."""
    task: str = DEFAULT_TASK
    """What the pairs are for, by the name of the task."""
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
    implants: float = 0.0
    """Share of pairs with pacemakers, leads or markers."""
    rotations: int | None = None
    """Of dark-field CT, as are the next five; the task's own where they are not given."""
    shots: int | None = None
    """Exposures a rotation."""
    window_shots: int | None = None
    """Exposures from which one value is retrieved; odd."""
    beam: str | None = None
    """Of `BEAMS`."""
    vibration: float | None = None
    """Amplitude over that of the default vibration; 0: none, for which the drift must be faster."""
    drift: float | None = None
    """Drift of the fringes in cycles per second."""
    shard_size: int = DEFAULT_PAIRS_SHARD_SIZE
    partition: tuple[int, int] = (0, 1)
    """(I, N): this process takes the shards I, I + N, I + 2N, …"""
    workers: int | None = None
    """Pairs made at the same time; one a core by default."""
    device: str = "auto"
    overwrite: bool = False

    def __post_init__(self) -> None:
        require_out(self.out)
        require_positive("n", self.n)
        require_positive("shard_size", self.shard_size)
        if self.workers is not None:
            require_positive("workers", self.workers)
        require_run(self.partition, self.seed, self.device)
        task_named(self.task)
        self._check_size()
        self._check_of_task()
        require_range("severity", self.severity, (0.0, 1.0))
        require_range("kvp", self.kvp, _KVP)
        if not 0 <= self.implants <= 1:
            raise UsageError(f"--implants {self.implants:g}: expected a share from 0 to 1")
        unknown = [name for name in self.without if name not in LAYERS]
        if unknown or len(set(self.without)) != len(self.without):
            raise UsageError(
                f"--without {','.join(self.without)}: expected each at most once of "
                f"{', '.join(LAYERS)}"
            )
        self._check_origin()

    @property
    def is_of_ct(self) -> bool:
        """Whether pairs are of dark-field CT."""
        return self.task == CT_TASK

    def _check_size(self) -> None:
        low, high = _SIDES
        step = _CT_SIDE_STEP if self.is_of_ct else _SIDE_STEP
        if not low <= self.size <= high or self.size % step:
            raise UsageError(
                f"--size {self.size}: expected 256, 512 or 1024, or another multiple of "
                f"{step} from {low} to {high}"
            )

    def _check_of_task(self) -> None:
        """Options of one task are refused where another is asked for."""
        given = [
            SCAN_OPTIONS[field]
            for name, field in SCAN_FIELDS.items()
            if getattr(self, name) is not None
        ]
        other = CT_TASK
        if self.is_of_ct:
            other = DEFAULT_TASK
            given = [
                name
                for name, used in (
                    ("--kvp", self.kvp != _USUAL_KVP),
                    (f"--without {','.join(self.without)}", bool(set(self.without) - CT_LAYERS)),
                    ("--implants", self.implants > 0),
                    ("--cxr", self.cxr is not None),
                    ("--origin cxr", self.origin == "cxr"),
                )
                if used
            ]
        if given:
            raise UsageError(
                f"{given[0]}: expected with --task {other} alone, found {self.task}; leave it out"
            )

    @property
    def unused_by_radiographs(self) -> tuple[str, ...]:
        """What is asked of the attenuation image alone, which for `cxr` is the radiograph as is."""
        asked = {
            f"--kvp {self.kvp[0]:g}:{self.kvp[1]:g}": self.kvp != _USUAL_KVP,
            f"--implants {self.implants:g}": self.implants > 0,
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
