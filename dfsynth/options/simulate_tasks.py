"""Which options of `dfsynth simulate` each task takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dfsynth.tasks import DEFAULT_TASK

CT_TASK: Final = "dark-field-ct"
MRI_UNDERSAMPLED: Final = "mri-undersampled"
MRI_MOTION: Final = "mri-motion"
PET_CT: Final = "pet-ct"
RESTORATION: Final = "restoration"
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
MASKS: Final = ("centre", "cartesian-random", "equispaced", "radial")
"""Which samples of k-space are kept."""
PETS: Final = ("any", "measured", "simulated")
"""Which PET pairs are made of: `any` simulates where none was measured."""
DEGRADERS: Final = ("drr", "bicubic")
"""What makes blurred images of radiographs, beside folders of trained degraders."""
BLURRED_LOOKS: Final = ("archive", "plain")
"""How blurred images look beside their blur: as their radiographs, or as DRRs that no machine has
processed, beside radiographs that all have one look."""
DISPLAYS: Final = ("archive", "restored")
"""How simulated radiographs look: as the display model leaves them, or restored by a network."""
DEFAULT_RESTORER: Final = "restoration"
"""The packaged checkpoint of that name."""
DEFAULT_PAIRS_SIZE: Final = 512


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """What of `SimulateOptions` a task takes, beside what every task does."""

    origins: tuple[str, ...]
    """What its pairs can be made of, the usual one first."""
    own: frozenset[str]
    """The fields that are for some tasks alone, and for this one."""
    layers: frozenset[str] = frozenset()
    """Those of `LAYERS` that it has."""
    usual_size: int = DEFAULT_PAIRS_SIZE
    """Side of its images in pixels."""
    side_step: int = 32
    """What a side must be a multiple of."""
    counts_pairs: bool = False
    """Whether its inputs say how many pairs there are, where nobody asks for a number."""
    origin_by_folders: bool = False
    """Whether the folders that are given say what pairs are made of, where nobody else does."""

    @property
    def draws_bodies(self) -> bool:
        """Whether bodies, or disease in them, are drawn; else images are of people as they are."""
        return "severity" in self.own

    @property
    def slices_volumes(self) -> bool:
        """Whether every pair is of one slice of a volume that was measured."""
        return self.origins == ("volume",)

    def usual_origin(self, ct: object, cxr: object) -> str:
        """What pairs are made of where nobody says, by the folders that are given, if any."""
        if not self.origin_by_folders or not cxr:
            return self.origins[0]
        return "mixed" if ct else "cxr"


_OF_CHESTS: Final = frozenset({"ct", "severity", "without"})
TASK_OPTIONS: Final[Mapping[str, TaskOptions]] = {
    DEFAULT_TASK: TaskOptions(
        ("phantom", "ct", "cxr", "mixed"),
        _OF_CHESTS | {"cxr", "kvp", "implants", "display", "restorer"},
        frozenset(LAYERS),
    ),
    CT_TASK: TaskOptions(
        ("phantom", "ct", "mixed"),
        _OF_CHESTS.union(SCAN_FIELDS),
        frozenset({"heterogeneity", "emphysema", "opacities", "noise"}),
        side_step=8,
    ),
    MRI_UNDERSAMPLED: TaskOptions(
        ("volume",),
        frozenset({"volumes", "mask", "keep"}),
        usual_size=256,
        side_step=8,
        counts_pairs=True,
    ),
    MRI_MOTION: TaskOptions(
        ("volume",),
        frozenset({"volumes", "moves", "move_mm", "move_deg"}),
        usual_size=256,
        side_step=8,
        counts_pairs=True,
    ),
    PET_CT: TaskOptions(
        ("volume",),
        frozenset({"volumes", "pet"}),
        usual_size=128,
        side_step=8,
        counts_pairs=True,
    ),
    RESTORATION: TaskOptions(
        ("ct", "cxr", "mixed", "phantom"),
        _OF_CHESTS | {"cxr", "kvp", "implants", "degrader", "blurred_look", "nodules", "nodule_mm"},
        frozenset({"emphysema", "opacities", "display"}),
        usual_size=256,
        origin_by_folders=True,
    ),
}
ORIGINS: Final = tuple(dict.fromkeys(name for t in TASK_OPTIONS.values() for name in t.origins))
"""What pairs of any task can be made of."""


def tasks_with(field: str) -> str:
    """The tasks that take a field of `SimulateOptions`, as messages name them."""
    *others, last = [task for task, taken in TASK_OPTIONS.items() if field in taken.own]
    return f"{', '.join(others)} or {last}" if others else last
