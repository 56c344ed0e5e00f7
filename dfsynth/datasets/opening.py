"""From what a user calls data to pairs."""

from dataclasses import replace
from pathlib import Path

from dfsynth.datasets.file_pairs import FilePairs
from dfsynth.datasets.listing import list_folders, list_table
from dfsynth.datasets.protocol import PairSource
from dfsynth.datasets.store_pairs import StorePairs
from dfsynth.errors import UsageError
from dfsynth.records import Intensity, IntensityRange, IntensityWindow
from dfsynth.source.metadata import is_table
from dfsynth.store import StoreLayout, format_of
from dfsynth.tasks import DEFAULT_TASK, Task, task_named

_KINDS = (
    "expected a store that dfsynth simulate has made, a folder of inputs together with a folder of "
    "targets, or a .csv or .parquet table"
)
_DEFAULT_INTENSITY = IntensityWindow()


def open_pairs(
    data: Path,
    targets: Path | None,
    grid: int,
    window: tuple[float, float],
    intensity: Intensity = _DEFAULT_INTENSITY,
    task: Task | None = None,
    output: IntensityRange | None = None,
) -> PairSource:
    """Opens paired images, each patient in one of four groups; no image is read yet.

    Args:
        data: a store of pairs; a folder of inputs, with `targets`; or a CSV or Parquet table of
            two columns of paths, named as the task's arrays of pairs or `attenuation` and
            `dark_field`, with or without `patient_id` and `split`.
        targets: a folder of targets whose names are those of `data`.
        grid: side of the square grid in pixels into which every image is letterboxed.
        window: what integers from 0 to full scale in files of targets stand for.
        intensity: how the values of inputs become what a network sees.
        task: what the network is for, dark-field radiography if None; a store of pairs must be for
            the same.
        output: the values of targets that become 0 and 1, as a network learns them; None for
            targets in their unit.

    Raises:
        UsageError: nothing of this kind, unpaired or missing files, a patient in two splits.
        StoreError: a damaged store.
    """
    task = task or task_named(DEFAULT_TASK)
    if not data.exists():
        raise UsageError(f"there is no {data}; {_KINDS}; check the path")
    if targets is not None:
        return _open_folders(data, targets, grid, window, intensity, task, output)
    layout = StoreLayout(data)
    if layout.build.exists() or format_of(layout).has_group(layout):
        return StorePairs.open(data, grid, intensity, task.name, output)
    if data.is_dir():
        raise UsageError(f"{data} is a folder but no store; {_KINDS}; are --targets missing?")
    if is_table(data.name):
        name = f"pairs of the table {data.name}"
        return FilePairs.group(name, list_table(data, task), grid, window, intensity, task, output)
    raise UsageError(f"{data} holds no pairs; {_KINDS}")


def _open_folders(
    data: Path,
    targets: Path,
    grid: int,
    window: tuple[float, float],
    intensity: Intensity,
    task: Task,
    output: IntensityRange | None,
) -> PairSource:
    for folder in (data, targets):
        if not folder.is_dir():
            raise UsageError(
                f"{folder} is no folder; expected two folders of equal file names when there are "
                "targets; a table or a store names its targets itself"
            )
        layout = StoreLayout(folder)
        if format_of(layout).has_group(layout):
            raise UsageError(f"{folder} is a store, which names its targets itself; {_KINDS}")
    files, remarks = list_folders(data, targets)
    name = f"pairs of the folders {data.name} and {targets.name}"
    found = FilePairs.group(name, files, grid, window, intensity, task, output)
    return replace(found, warnings=(*remarks, *found.warnings))
