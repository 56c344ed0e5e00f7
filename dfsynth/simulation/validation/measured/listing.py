"""Finds the listings of measured scans in a folder, and reads the pixels that they point to."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from dfsynth.errors import UsageError

_LISTINGS: Final = ("reconstructed.csv", "source/data/reconstructed.csv", "data/build_summary.csv")
"""Where the repositories of measured scans keep the table of their scans."""
_TRANSMISSION: Final = "A"
_VISIBILITY: Final = "B"
"""Visibility with the sample over that without: the dark-field contrast."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A table with one scan a row."""

    path: Path
    root: Path
    """The folder from which the table's paths start."""
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]

    def require(self, *columns: str) -> None:
        """Requires these columns.

        Raises:
            UsageError: one is missing.
        """
        missing = [name for name in columns if name not in self.columns]
        if missing:
            raise UsageError(
                f"{self.path} has no column {', '.join(missing)}, only {', '.join(self.columns)}: "
                "expected the layout of a commit that docs/simulator.md names; check it out"
            )

    def file(self, row: Mapping[str, str], column: str) -> Path:
        """The file that a row names in `column`.

        Raises:
            UsageError: it is not there.
        """
        path = self.root / row[column]
        if not path.is_file():
            raise UsageError(
                f"{self.path} names {row[column] or 'nothing'!r} as {column}, and no such file "
                f"lies in {self.root}: get it, or take its row out"
            )
        return path


@dataclass(frozen=True, slots=True, eq=False)
class ScanPixels:
    """The pixels of one scan that belong to the sample, (n,) each, all finite and above 0."""

    path: Path
    transmission: NDArray[np.float64]
    """T, over that without the sample."""
    visibility: NDArray[np.float64]
    """V, over that without the sample."""

    @property
    def signal(self) -> NDArray[np.float64]:
        """-ln V of each pixel, (n,), dimensionless."""
        return -np.log(self.visibility)

    @property
    def attenuation(self) -> NDArray[np.float64]:
        """-ln T of each pixel, (n,), dimensionless."""
        return -np.log(self.transmission)

    def signal_over_attenuation(self) -> float:
        """Sum of -ln V over sum of -ln T.

        Raises:
            UsageError: the sample attenuates nothing.
        """
        return over_attenuation(self.path, float(self.signal.sum()), float(self.attenuation.sum()))


def over_attenuation(where: object, signal: float, attenuation: float) -> float:
    """A sum of -ln V over one of -ln T; `where` is what the message calls the sample.

    Raises:
        UsageError: the sample attenuates nothing.
    """
    if not attenuation > 0:
        raise UsageError(
            f"{where}: the pixels together pass as much as air (sum of -ln T {attenuation:.3g}): "
            "expected a sample that attenuates"
        )
    return signal / attenuation


def find_listings(folder: Path) -> tuple[Listing, ...]:
    """The listings of scans in `folder`, a checkout, or a folder of several.

    Raises:
        UsageError: there is no listing, or one that cannot be read or is empty.
    """
    if not folder.is_dir():
        raise UsageError(f"--measured {folder}: expected a folder")
    roots = [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]
    found = [
        _read_listing(root / name, root)
        for root in roots
        for name in _LISTINGS
        if (root / name).is_file()
    ]
    if not found:
        raise UsageError(
            f"--measured {folder}: found no table of measured scans, neither there nor in a folder "
            f"in it: expected {' or '.join(_LISTINGS)}, as in the repositories that "
            "docs/simulator.md names"
        )
    return tuple(found)


def read_pixels(path: Path) -> ScanPixels:
    """Reads the columns A (transmission) and B (visibility) of a CSV file of pixels.

    Raises:
        UsageError: unreadable, without pixels, or with values that have no logarithm.
    """
    wanted = [_TRANSMISSION, _VISIBILITY]
    options = pa_csv.ConvertOptions(
        include_columns=wanted, column_types={name: pa.float64() for name in wanted}
    )
    try:
        table = pa_csv.read_csv(path, convert_options=options)
    except (OSError, KeyError, pa.ArrowInvalid) as error:
        reason = str(error).strip("'\"").splitlines()[0]
        raise UsageError(
            f"cannot read the pixels in {path}: {reason}; expected a CSV file with the numbers A "
            "(transmission) and B (visibility)"
        ) from error
    if table.num_rows == 0:
        raise UsageError(f"{path} holds no pixel: expected one a line")
    return ScanPixels(
        path,
        _positive(path, table, _TRANSMISSION, "transmission"),
        _positive(path, table, _VISIBILITY, "visibility"),
    )


def _positive(path: Path, table: pa.Table, column: str, meaning: str) -> NDArray[np.float64]:
    values = table.column(column).to_numpy()
    wrong = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    if wrong.size:
        raise UsageError(
            f"{path}, line {wrong[0] + 2}: {meaning} {column} is {values[wrong[0]]:g} "
            f"({wrong.size} such pixels): expected finite numbers above 0, which have a logarithm"
        )
    return values


def _read_listing(path: Path, root: Path) -> Listing:
    try:
        with path.open(encoding="utf-8", newline="") as text:
            reader = csv.DictReader(text, strict=True)
            rows = tuple(_whole_rows(path, reader))
            columns = tuple(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"cannot read the table {path}: {error}; expected CSV in UTF-8") from error
    if not rows:
        raise UsageError(f"{path} lists no scan: expected one a row, under a line of column names")
    return Listing(path, root, columns, rows)


def _whole_rows(path: Path, reader: "csv.DictReader[str]") -> Iterator[Mapping[str, str]]:
    for row in reader:
        # The reader files a row's surplus under None, and gives None for what it lacks.
        if None in row or None in row.values():
            raise UsageError(
                f"{path}, line {reader.line_num}: expected {len(reader.fieldnames or ())} values, "
                "as the first line names; mend it"
            )
        yield row
