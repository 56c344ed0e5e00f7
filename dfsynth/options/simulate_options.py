"""What `dfsynth simulate` is asked to do."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final, Self

from dfsynth.errors import UsageError
from dfsynth.options.checks import (
    require_inputs_on_disk,
    require_one_of,
    require_out,
    require_positive,
    require_range,
    require_run,
)
from dfsynth.options.coercion import (
    RENAMED,
    to_names,
    to_optional_path,
    to_partition,
    to_path,
    to_range,
)
from dfsynth.options.given import GivenOptions
from dfsynth.options.simulate_tasks import (
    BLURRED_LOOKS,
    DEFAULT_PAIRS_SIZE,
    DEFAULT_RESTORER,
    DEGRADERS,
    DISPLAYS,
    LAYERS,
    MASKS,
    PETS,
    TASK_OPTIONS,
    TaskOptions,
    tasks_with,
)
from dfsynth.tasks import DEFAULT_TASK, task_named

DEFAULT_PAIRS_SHARD_SIZE: Final = 64
DEFAULT_KEEP: Final = 0.08
"""12.5 times fewer samples, as Upadhyay et al. (2021) have it."""
_SIDES: Final = (64, 1024)
_KVP: Final = (50.0, 150.0)
_USUAL_KVP: Final = (90.0, 125.0)
_MOVES: Final = (1.0, 32.0)
_MOVE_MM: Final = (0.0, 50.0)
_MOVE_DEG: Final = (0.0, 45.0)
DEFAULT_NODULES: Final = 0.5
USUAL_NODULE_MM: Final = (4.0, 30.0)
_NODULE_MM: Final = (2.0, 60.0)


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
        "volumes": to_optional_path,
        "moves": partial(to_range, "--moves"),
        "move_mm": partial(to_range, "--move-mm"),
        "move_deg": partial(to_range, "--move-deg"),
        "nodule_mm": partial(to_range, "--nodule-mm"),
        "without": to_names,
        "partition": to_partition,
    }
    _renamed: ClassVar = RENAMED

    out: Path
    n: int | None = None
    """Pairs; None, of tasks whose pairs are slices of volumes: one of each slice."""
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
    display: str = DISPLAYS[0]
    """How the attenuation images of bodies look, of `DISPLAYS`."""
    restorer: str = DEFAULT_RESTORER
    """Checkpoint of `restoration` that restores them: a packaged name, or a folder."""
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
    volumes: Path | None = None
    """Folder of volumes: of MR for the tasks of MRI, of PET and CT for `pet-ct`."""
    mask: str = MASKS[0]
    """Which samples of k-space are kept, of `MASKS`; of `mri-undersampled`, as is the next."""
    keep: float = DEFAULT_KEEP
    """Share of k-space that is kept."""
    moves: tuple[float, float] = (1.0, 6.0)
    """Moves during a scan: the range that is drawn from; of `mri-motion`, as are the next two."""
    move_mm: tuple[float, float] = (0.5, 4.0)
    """The longest shift of one move in mm: the range that is drawn from."""
    move_deg: tuple[float, float] = (0.5, 4.0)
    """The widest turn of one move in degrees: the range that is drawn from."""
    pet: str = PETS[0]
    """Which PET pairs are made of, of `PETS`; of `pet-ct`."""
    degrader: str = DEGRADERS[0]
    """What makes blurred images, of `DEGRADERS`, or the folder of a trained one; of `restoration`,
    as are the next three."""
    blurred_look: str = BLURRED_LOOKS[0]
    """How blurred images look beside their blur, of `BLURRED_LOOKS`."""
    nodules: float = DEFAULT_NODULES
    """Share of bodies with nodules in their lungs."""
    nodule_mm: tuple[float, float] = USUAL_NODULE_MM
    """Diameter of nodules in mm: the range that is drawn from."""
    shard_size: int = DEFAULT_PAIRS_SHARD_SIZE
    partition: tuple[int, int] = (0, 1)
    """(I, N): this process takes the shards I, I + N, I + 2N, …"""
    workers: int | None = None
    """Pairs made at the same time; one a core by default."""
    device: str = "auto"
    overwrite: bool = False

    @classmethod
    def of(cls, **given: Any) -> Self:
        """The options as people write them; size and origin are those of the task by default.

        Raises:
            UsageError: a value that its option cannot take, or options that do not go together.
            TypeError: an option that does not exist.
        """
        taken = TASK_OPTIONS.get(given.get("task", DEFAULT_TASK))
        usual: dict[str, Any] = {}
        if taken is not None:
            origin = taken.usual_origin(given.get("ct"), given.get("cxr"))
            usual = {"size": taken.usual_size, "origin": origin}
        missing = {name: value for name, value in usual.items() if given.get(name) is None}
        return super(SimulateOptions, cls).of(**given | missing)

    def __post_init__(self) -> None:
        require_out(self.out)
        require_inputs_on_disk(ct=self.ct, cxr=self.cxr, volumes=self.volumes)
        require_positive("shard_size", self.shard_size)
        if self.workers is not None:
            require_positive("workers", self.workers)
        require_run(self.partition, self.seed, self.device)
        task_named(self.task)
        self._check_count()
        self._check_size()
        self._check_of_task()
        require_range("severity", self.severity, (0.0, 1.0))
        require_range("kvp", self.kvp, _KVP)
        self._check_volumes()
        self._check_blurred_look()
        require_range("nodule-mm", self.nodule_mm, _NODULE_MM)
        if not 0 <= self.nodules <= 1:
            raise UsageError(f"--nodules {self.nodules:g}: expected a share from 0 to 1")
        if not 0 <= self.implants <= 1:
            raise UsageError(f"--implants {self.implants:g}: expected a share from 0 to 1")
        unknown = [name for name in self.without if name not in LAYERS]
        if unknown or len(set(self.without)) != len(self.without):
            raise UsageError(
                f"--without {','.join(self.without)}: expected each at most once of "
                f"{', '.join(LAYERS)}"
            )
        self._check_display()
        self._check_origin()

    @property
    def taken(self) -> TaskOptions:
        """What the task takes."""
        return TASK_OPTIONS[self.task]

    def _check_count(self) -> None:
        if self.n is not None:
            require_positive("n", self.n)
        elif not self.taken.counts_pairs:
            raise UsageError(f"--task {self.task}: expected --n PAIRS, found none")

    def _check_size(self) -> None:
        low, high = _SIDES
        step = self.taken.side_step
        if not low <= self.size <= high or self.size % step:
            raise UsageError(
                f"--size {self.size}: expected 256, 512 or 1024, or another multiple of "
                f"{step} from {low} to {high}"
            )

    def _check_of_task(self) -> None:
        """Options of one task are refused where another is asked for."""
        for option, tasks in self._foreign():
            raise UsageError(
                f"{option}: expected with --task {tasks} alone, found {self.task}; leave it out"
            )

    def _foreign(self) -> Iterator[tuple[str, str]]:
        """Options that were given and are not of the task, and the tasks that take each."""
        taken = self.taken
        of_some = frozenset[str]().union(*(task.own for task in TASK_OPTIONS.values()))
        for field in fields(self):
            given = field.name in of_some and getattr(self, field.name) != field.default
            if given and field.name not in taken.own:
                option = f"--{field.name.replace('_', '-')}"
                if field.name == "without":
                    option += f" {','.join(self.without)}"
                yield option, tasks_with(field.name)
        if "without" in taken.own and set(self.without) & set(LAYERS) - taken.layers:
            yield f"--without {','.join(self.without)}", DEFAULT_TASK
        owners = [task for task, other in TASK_OPTIONS.items() if self.origin in other.origins]
        if owners and self.task not in owners:
            yield f"--origin {self.origin}", " or ".join(owners)

    def _check_volumes(self) -> None:
        require_one_of("--mask", self.mask, MASKS)
        require_one_of("--pet", self.pet, PETS)
        if not 0 < self.keep <= 1:
            raise UsageError(f"--keep {self.keep:g}: expected a share above 0 and at most 1")
        require_range("moves", self.moves, _MOVES)
        if any(end % 1 for end in self.moves):
            least, most = self.moves
            raise UsageError(f"--moves {least:g}:{most:g}: expected whole numbers")
        require_range("move-mm", self.move_mm, _MOVE_MM)
        require_range("move-deg", self.move_deg, _MOVE_DEG)
        if "volumes" in self.taken.own and self.volumes is None:
            raise UsageError(f"--task {self.task}: expected --volumes DIR, found none")

    def _check_blurred_look(self) -> None:
        require_one_of("--blurred-look", self.blurred_look, BLURRED_LOOKS)
        if self.blurred_look != BLURRED_LOOKS[0] and self.degrader not in DEGRADERS:
            raise UsageError(
                f"--blurred-look {self.blurred_look}: expected --degrader {' or '.join(DEGRADERS)} "
                f"beside it, found {self.degrader}, which has learned a look"
            )

    def _check_display(self) -> None:
        require_one_of("--display", self.display, DISPLAYS)
        if self.display != "restored":
            if self.restorer != DEFAULT_RESTORER:
                raise UsageError(
                    f"--restorer {self.restorer}: expected --display restored beside it, found "
                    f"{self.display}"
                )
        elif "display" in self.without:
            raise UsageError(
                "--display restored --without display: a network restores what the display layer "
                "made; expected one of them alone"
            )

    @property
    def unused_by_radiographs(self) -> tuple[str, ...]:
        """What is asked of the attenuation image alone, which for `cxr` is the radiograph as is."""
        asked = {
            f"--kvp {self.kvp[0]:g}:{self.kvp[1]:g}": self.kvp != _USUAL_KVP,
            f"--implants {self.implants:g}": self.implants > 0,
            "--without display": "display" in self.without,
            f"--display {self.display}": self.display != DISPLAYS[0],
            f"--nodules {self.nodules:g}": self.nodules != DEFAULT_NODULES,
            f"--nodule-mm {self.nodule_mm[0]:g}:{self.nodule_mm[1]:g}": self.nodule_mm
            != USUAL_NODULE_MM,
        }
        return tuple(text for text, wanted in asked.items() if wanted)

    @property
    def warnings_of_radiographs(self) -> tuple[str, ...]:
        """What of the options does nothing to the radiographs among mixed pairs."""
        unused = self.unused_by_radiographs
        if self.cxr is None or not unused:
            return ()
        return (f"--cxr: {' and '.join(unused)} do nothing to radiographs, which stay as they are",)

    def _check_origin(self) -> None:
        """Folders are given where they are used, and only there."""
        origins = self.taken.origins
        if self.origin not in origins:
            raise UsageError(f"--origin {self.origin!r}: expected {', '.join(origins)}")
        folders = {"ct": self.ct, "cxr": self.cxr}
        if self.origin == "mixed" and not any(folders.values()):
            raise UsageError("--origin mixed: expected --ct, --cxr or both, found neither")
        if self.taken.origin_by_folders and self.origin == origins[0] and not any(folders.values()):
            raise UsageError(
                f"--task {self.task}: expected --ct DIR, --cxr DIR or --origin phantom, found none"
            )
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
