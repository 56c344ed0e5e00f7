"""The folder of a report: in place whole or not at all, and only where a report may go."""

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from dfsynth.errors import UsageError
from dfsynth.files.durable import remove_entry
from dfsynth.files.faults import store_faults
from dfsynth.files.json_record import encode_json
from dfsynth.version import __version__

MARK: Final = "dfsynth-report.json"
"""The file by which a report is known again."""
_FORMER: Final = ".old"
_STATIC: Final = Path(__file__).parent / "static"


def _require_report_folder(folder: Path) -> None:
    """Requires that a report may be written to `folder`: nothing, an empty folder, or a report."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(
            f"--out {folder}: found something that is no folder; expected a new name, or the "
            "folder of an earlier report"
        )
    if not folder.exists() or (folder / MARK).is_file():
        return
    with store_faults(f"look into {folder}"):
        other = next(iter(sorted(folder.iterdir())), None)
    if other is not None:
        raise UsageError(
            f"--out {folder}: the folder holds {other.name} and is no report (no {MARK} in it); "
            "expected a new name, an empty folder or an earlier report, which is replaced; choose "
            "another name"
        )


@contextmanager
def writing_report(folder: Path) -> Iterator[Path]:
    """A new folder beside `folder`, which takes its place when the body ends without an error.

    It holds what every report has: the scripts, styles and licences of the page, and the mark.

    Raises:
        UsageError: something else lies there, which a report would replace.
        StoreError: the disk refuses; a report that was there stays.
    """
    _require_report_folder(folder)
    # Beside what the name stands for: `.` and `..` have no name to build on.
    place = folder.resolve()
    fresh = place.with_name(f".{place.name}.{secrets.token_hex(6)}.tmp")
    try:
        with store_faults(f"write the report {folder}"):
            fresh.mkdir(parents=True)
            shutil.copytree(_STATIC, fresh / "static")
            (fresh / MARK).write_bytes(encode_json({"dfsynth": __version__}))
            yield fresh
            _put_in_place(fresh, place)
    finally:
        with suppress(OSError):
            remove_entry(fresh)


def _put_in_place(fresh: Path, place: Path) -> None:
    if not place.exists():
        fresh.rename(place)
    else:
        former = fresh.with_suffix(_FORMER)
        place.rename(former)
        try:
            fresh.rename(place)
        except OSError:
            former.rename(place)
            raise
    # The former report, and those of runs that were killed before they came to this.
    hidden = re.compile(rf"\.{re.escape(place.name)}\.[0-9a-f]{{12}}{re.escape(_FORMER)}")
    for entry in place.parent.iterdir():
        if hidden.fullmatch(entry.name):
            remove_entry(entry)
