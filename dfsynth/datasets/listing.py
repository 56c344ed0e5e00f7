"""Which files belong together: two folders of equal names, or a table of two path columns."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from dfsynth.counted_nouns import counted
from dfsynth.datasets.file_pairs import FilePair, ImageFile, is_file, list_names
from dfsynth.errors import UsageError
from dfsynth.source import metadata
from dfsynth.source.folder import list_files
from dfsynth.tasks import Task

_SUFFIXES: Final = frozenset(
    {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm", ".dicom", ".npy", ".nii"}
)
"""What is left out of a name when it is compared; a DICOM name may end in .113, which is kept."""
_NIFTI: Final = ".nii"
_OF_FILE_MANAGERS: Final = frozenset({".db", ".ini"})
"""Thumbs.db and desktop.ini: a build makes a failed row of them, but here they have no partner."""
_OF_ANY_TASK: Final = ("attenuation", "dark_field")
"""Columns of paths that tables of every task may have: there was one task at first."""
_PATIENT_COLUMNS: Final[tuple[str, ...]] = ("patient_id", "split")


def list_folders(attenuation: Path, dark_field: Path) -> tuple[list[FilePair], list[str]]:
    """Pairs of equal paths below two folders, suffixes aside, in the order of their names.

    Returns:
        The pairs, and sentences on what was left out.

    Raises:
        UsageError: a file without its partner, two files of one name, or an empty folder.
    """
    (inputs, remarks), (targets, more) = list_images(attenuation), list_images(dark_field)
    for these, those, folder in (
        (inputs, targets, dark_field),
        (targets, inputs, attenuation),
    ):
        alone = [these[key].name for key in sorted(these.keys() - those.keys())]
        if alone:
            raise UsageError(
                f"{counted(len(alone), 'file has', 'files have')} no partner in {folder.name}: "
                f"{list_names(alone)}; expected two folders of equal file names, whatever their "
                "suffixes"
            )
    return [FilePair(key, inputs[key], targets[key]) for key in sorted(inputs)], [*remarks, *more]


def list_images(folder: Path) -> tuple[dict[str, Path], tuple[str, ...]]:
    """The images below a folder by their paths, suffixes aside, and sentences on what was left out.

    Raises:
        UsageError: two files of one name, or an empty folder.
    """
    listing = list_files(folder)
    found: dict[str, Path] = {}
    for name in map(str, listing.table["uri"].to_pylist()):
        if PurePosixPath(name).suffix.lower() in _OF_FILE_MANAGERS:
            continue
        key = _key(name)
        if key in found:
            raise UsageError(
                f"{found[key].name} and {PurePosixPath(name).name} in {folder.name} have one name "
                "but for the suffix; expected one file of each name"
            )
        found[key] = folder / name
    return found, listing.warnings


def list_table(table: Path, task: Task) -> list[FilePair]:
    """The pairs that a CSV or Parquet table names, in its order; paths start from its folder.

    The paths stand in the columns that are named as the task's arrays of pairs, or `attenuation`
    and `dark_field`, else in the first two columns whose first value is a file. `patient_id` and
    `split` may follow; case does not matter.

    Raises:
        UsageError: a table that cannot be read, without two such columns, or with an empty path.
    """
    found = metadata.headers(table)
    by_key = {metadata.key(header): header for header in reversed(found)}
    first, second = _path_columns(table, found, by_key, (task.input.array, task.pairs.target))
    wanted = {"attenuation": first, "dark_field": second}
    wanted |= {name: by_key[name] for name in _PATIENT_COLUMNS if name in by_key}
    pairs: list[FilePair] = []
    for chunk in metadata.read_columns(table, wanted):
        values = {name: column.to_pylist() for name, column in chunk.items()}
        nothing = [None] * len(values["attenuation"])
        for inputs, target, patient, split in zip(
            values["attenuation"],
            values["dark_field"],
            values.get("patient_id", nothing),
            values.get("split", nothing),
            strict=True,
        ):
            if inputs is None or target is None:
                raise UsageError(
                    f"row {len(pairs) + 1} of {table.name} lacks a path; expected one in each of "
                    f"the columns {first!r} and {second!r}; fill it, or remove the row"
                )
            pairs.append(
                FilePair(inputs, _below(table, inputs), _below(table, target), patient, split)
            )
    if not pairs:
        raise UsageError(f"the table {table.name} has no row; expected one for each pair")
    _require_unique([pair.key for pair in pairs], table)
    return pairs


def list_table_of_images(table: Path) -> list[ImageFile]:
    """The images that a CSV or Parquet table names, in its order; paths start from its folder.

    They stand in the first column whose first value is a file. `patient_id` and `split` may follow.

    Raises:
        UsageError: a table that cannot be read, without such a column, or with an empty path.
    """
    found = metadata.headers(table)
    by_key = {metadata.key(header): header for header in reversed(found)}
    others = [h for h in dict.fromkeys(found) if metadata.key(h) not in _PATIENT_COLUMNS]
    path = next((header for header in others if _begins_with_file(table, header)), None)
    if path is None:
        raise UsageError(
            f"the table {table.name} has no column of files: found the columns "
            f"{', '.join(map(repr, found))}; expected one of paths that start from its folder"
        )
    wanted = {"path": path} | {n: by_key[n] for n in _PATIENT_COLUMNS if n in by_key}
    images: list[ImageFile] = []
    for chunk in metadata.read_columns(table, wanted):
        values = {name: column.to_pylist() for name, column in chunk.items()}
        nothing = [None] * len(values["path"])
        patients, splits = (values.get(name, nothing) for name in _PATIENT_COLUMNS)
        for name, patient, split in zip(values["path"], patients, splits, strict=True):
            if name is None:
                raise UsageError(
                    f"row {len(images) + 1} of {table.name} lacks a path; expected one in the "
                    f"column {path!r}; fill it, or remove the row"
                )
            images.append(ImageFile(name, _below(table, name), patient, split))
    if not images:
        raise UsageError(f"the table {table.name} has no row; expected one for each image")
    _require_unique([image.key for image in images], table)
    return images


def _key(name: str) -> str:
    path = PurePosixPath(name)
    if path.suffix.lower() == ".gz" and path.stem.lower().endswith(_NIFTI):
        path = path.with_suffix("")
    return str(path.with_suffix("")) if path.suffix.lower() in _SUFFIXES else name


def _path_columns(
    table: Path, headers: Sequence[str], by_key: dict[str, str], named: tuple[str, str]
) -> tuple[str, str]:
    for inputs, target in (named, _OF_ANY_TASK):
        if inputs in by_key and target in by_key:
            return by_key[inputs], by_key[target]
    others = [h for h in dict.fromkeys(headers) if metadata.key(h) not in _PATIENT_COLUMNS]
    paths = [header for header in others if _begins_with_file(table, header)]
    if len(paths) < 2:
        raise UsageError(
            f"the table {table.name} has no two columns of files: found the columns "
            f"{', '.join(map(repr, headers))}; expected {' and '.join(named)}, with paths "
            "that start from the table's folder"
        )
    return paths[0], paths[1]


def _begins_with_file(table: Path, header: str) -> bool:
    for chunk in metadata.read_columns(table, {"path": header}):
        value = next((text for text in chunk["path"].to_pylist() if text), None)
        if value is not None:
            return is_file(_below(table, value))
    return False


def _below(table: Path, name: str) -> Path:
    # Tables written on Windows; a file on Linux hardly ever has one in its name.
    return table.parent / name.replace("\\", "/")


def _require_unique(keys: Sequence[str], table: Path) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise UsageError(
                f"{key!r} comes twice in {table.name}; expected each input once, or a patient "
                "could train and test at once; remove a row"
            )
        seen.add(key)
