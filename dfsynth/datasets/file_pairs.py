"""Pairs in files of a user's own."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from dfsynth.counted_nouns import counted
from dfsynth.datasets.file_values import PairValues
from dfsynth.datasets.groups import Member, group_patients
from dfsynth.datasets.image_files import DecodedPair, decode_pair
from dfsynth.datasets.protocol import PairImages, PairInfo
from dfsynth.errors import UsageError
from dfsynth.records import Intensity, IntensityRange, Task

_SAMPLE_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class FilePair:
    """Two files that belong together."""

    key: str
    attenuation: Path
    dark_field: Path
    patient_id: str | None = None
    """None where it is not known: the pair is then its own patient."""
    split: str | None = None


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A file of a collection that has no partners."""

    key: str
    path: Path
    patient_id: str | None = None
    """None where it is not known: the image is then its own patient."""
    split: str | None = None


@dataclass(frozen=True, slots=True)
class FilePairs:
    """Implements `PairSource` for image files; nothing but input and target is known."""

    rows: tuple[PairInfo, ...]
    description: str
    warnings: tuple[str, ...]
    files: tuple[FilePair, ...]
    """One for each row."""
    grid: int
    window: tuple[float, float]
    intensity: Intensity
    task: Task
    """Whose words messages use."""
    output: IntensityRange | None = None
    """The values of targets that become 0 and 1; None: targets stay in their unit."""

    @classmethod
    def group(
        cls,
        name: str,
        files: Sequence[FilePair],
        grid: int,
        window: tuple[float, float],
        intensity: Intensity,
        task: Task,
        output: IntensityRange | None = None,
    ) -> Self:
        """The pairs of `files`, each patient in one group; no image is opened.

        Raises:
            UsageError: a file that is missing or belongs to two pairs, or patients that cannot be
                grouped.
        """
        _require_files(files)
        patients = [pair.patient_id or f"file:{pair.key}" for pair in files]
        members = [
            Member(pair.key, patient, pair.split)
            for pair, patient in zip(files, patients, strict=True)
        ]
        groups = group_patients(members, binding=True)
        rows = tuple(
            PairInfo(pair.key, patient, groups.split[patient])
            for pair, patient in zip(files, patients, strict=True)
        )
        return cls(
            rows=rows,
            description=describe_rows(name, rows),
            warnings=(*_warn_of_unknown_patients(files), *groups.warnings),
            files=tuple(files),
            grid=grid,
            window=window,
            intensity=intensity,
            task=task,
            output=output,
        )

    @property
    def knows_lungs(self) -> bool:
        """See `PairSource`."""
        return False

    def fingerprint(self) -> str:
        """See `PairSource`; of names, patients, splits and samples of the files' bytes."""
        digest = hashlib.blake2b(digest_size=16)
        for row, pair in zip(self.rows, self.files, strict=True):
            digest.update(repr((row.key, row.patient_id, row.split)).encode())
            for path in (pair.attenuation, pair.dark_field):
                add_sample(digest, path)
        return digest.hexdigest()

    def read(self, index: int) -> PairImages:
        """See `PairSource`."""
        return self._decode(index).images()

    def examine(self, index: int) -> tuple[PairImages, PairValues]:
        """Reads a pair, and what its files hold beside what the task declares.

        Raises:
            UsageError: as `read`.
        """
        pair = self._decode(index)
        return pair.images(), pair.values()

    def _decode(self, index: int) -> DecodedPair:
        pair = self.files[index]
        try:
            return decode_pair(
                *(pair.attenuation, pair.dark_field, self.grid, self.window),
                *(self.intensity, self.output),
                task=self.task,
            )
        except UsageError as error:
            raise UsageError(f"pair {pair.key!r}: {error}") from error


def add_sample(digest: "hashlib.blake2b", path: Path) -> None:
    """The size, and bytes from the beginning, the middle and the end.

    Times change when a folder is copied to another disk, and reading all of a large collection
    takes as long as training on it once. Images that were made anew differ in the middle.

    Raises:
        UsageError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            digest.update(size.to_bytes(8, "big"))
            for start in (0, max(size // 2 - _SAMPLE_BYTES // 2, 0), max(size - _SAMPLE_BYTES, 0)):
                file.seek(start)
                digest.update(file.read(_SAMPLE_BYTES))
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror}") from error


def describe_rows(name: str, rows: Sequence[PairInfo]) -> str:
    """One line: how many pairs of how many patients, and pairs a group."""
    patients = len({row.patient_id for row in rows})
    groups = ", ".join(
        f"{split} {sum(row.split == split for row in rows)}"
        for split in ("train", "val", "calibration", "test")
    )
    return f"{name}: {counted(len(rows), 'pair')} of {counted(patients, 'patient')} ({groups})"


def list_names(names: Sequence[str], most: int = 5) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(repr, names[:most])) + more


def is_file(path: Path) -> bool:
    """Whether there is such a file; free text of a table may be no path at all."""
    try:
        return path.is_file()
    except OSError:
        return False


def _require_files(files: Sequence[FilePair]) -> None:
    missing = [
        path.name
        for pair in files
        for path in (pair.attenuation, pair.dark_field)
        if not is_file(path)
    ]
    if missing:
        raise UsageError(
            f"{counted(len(missing), 'file is', 'files are')} not there: {list_names(missing)}; "
            "expected both images of every pair; paths of a table start from its folder"
        )
    owner: dict[Path, str] = {}
    for pair in files:
        both = pair.attenuation.resolve(), pair.dark_field.resolve()
        if both[0] == both[1]:
            raise UsageError(
                f"pair {pair.key!r}: {both[0].name} is input and target at once; expected two "
                "files; are --data and --targets one folder, or both columns the same paths?"
            )
        for path in both:
            other = owner.setdefault(path, pair.key)
            if other != pair.key:
                raise UsageError(
                    f"the file {path.name} comes twice, in pairs {other!r} and {pair.key!r}; "
                    "expected each file once; or a patient could train and test at once"
                )


def _warn_of_unknown_patients(files: Sequence[FilePair]) -> tuple[str, ...]:
    unknown = sum(pair.patient_id is None for pair in files)
    if not unknown:
        return ()
    return (
        f"{unknown} of {counted(len(files), 'pair')} without a patient: each counts as its own; "
        "if patients have several images, they may both train and test, and scores will look too "
        "good; give a table with a column patient_id",
    )
