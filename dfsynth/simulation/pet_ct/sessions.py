"""Which files of a folder are the PET and the CT of one session."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from dfsynth.errors import UsageError
from dfsynth.files.text_table import read_text_table
from dfsynth.simulation.volumes import VolumeCandidate, list_volumes
from dfsynth.simulation.volumes.listing import name_people
from dfsynth.simulation.volumes.modality import CT_OF_SESSION

LABELS: Final = "labels.csv"
"""At the root of the folder: `ct`, and `pet` or `petnac`, paths below the root; `patient` and
`license` where they are known. Without it, or without its column `ct`, names say the same."""
_NAMED: Final = re.compile(
    r"(?P<name>.*?)(_(?P<kind>ct|petnac|pet))?(\.nii(\.gz)?|\.nrrd|\.nhdr|\.mha|\.mhd)?(#.*)?",
    re.DOTALL | re.IGNORECASE,
)
_KINDS: Final = ("ct", "petnac", "pet")


@dataclass(frozen=True, slots=True)
class Session:
    """The CT of one session and, where there is one, its PET."""

    ct: VolumeCandidate
    """Its `patient` is that of the session, and its `key` the session's name."""
    pet: VolumeCandidate | None
    corrected: bool
    """Whether the PET is corrected for attenuation."""

    @property
    def files(self) -> tuple[Path, ...]:
        """All that its pairs depend on."""
        return self.ct.files + (() if self.pet is None else self.pet.files)


@dataclass(frozen=True, slots=True)
class SessionListing:
    """What was found below a root."""

    sessions: tuple[Session, ...]
    """By the key of their CT, in the order of its bytes."""
    excluded: tuple[tuple[str, str], ...]
    """(path below the root, why) of files that no session has."""


def list_sessions(root: Path) -> SessionListing:
    """The sessions below `root`, by its `labels.csv` or by names; nothing but names was read.

    `NAME_ct.nii.gz` is the CT of `NAME_petnac.nii.gz`, a PET without correction for attenuation,
    or else of `NAME_pet.nii.gz`, one with it; what has none of these endings is a CT without PET.
    A DICOM series is a CT, by the name of its folder.

    Raises:
        UsageError: `root` is no folder, holds no volume, or its table cannot be read, names a
            file that is not there, or a CT twice.
    """
    volumes = list_volumes(root, CT_OF_SESSION)
    rows = _read_rows(root / LABELS)
    people = {row["ct"]: row["patient"] for row in rows or () if row["patient"]}
    found = {candidate.key: candidate for candidate in name_people(volumes.candidates, people)}
    sessions = (
        list(_by_name(found)) if rows is None else list(_by_table(root / LABELS, rows, found))
    )
    used = {c.key for s in sessions for c in (s.ct, s.pet) if c is not None}
    why = (
        f"not in {LABELS}"
        if rows is not None
        else "a PET without its CT, or a second volume of one name"
    )
    left = [(key, why) for key in found if key not in used]
    left += [(key, why) for key, why in volumes.excluded if key != LABELS]
    return SessionListing(tuple(sorted(sessions, key=_by_key)), tuple(left))


def _by_key(session: Session) -> bytes:
    return session.ct.key.encode()


def _by_name(found: Mapping[str, VolumeCandidate]) -> Iterator[Session]:
    named: dict[str, dict[str, VolumeCandidate]] = {}
    for key, candidate in found.items():
        match = _NAMED.fullmatch(key)
        assert match is not None
        kind = (match["kind"] or "ct").lower()
        named.setdefault(match["name"], {}).setdefault(kind, candidate)
    for kinds in named.values():
        if "ct" in kinds:
            pet = kinds.get("petnac") or kinds.get("pet")
            yield Session(kinds["ct"], pet, corrected="petnac" not in kinds)


def _by_table(
    path: Path, rows: Sequence[Mapping[str, str]], found: Mapping[str, VolumeCandidate]
) -> Iterator[Session]:
    lines: dict[str, int] = {}
    for number, row in enumerate(rows, 2):
        named = {kind: row[kind] for kind in _KINDS}
        missing = [name for name in named.values() if name and name not in found]
        if missing or not named["ct"]:
            what = f"names {missing[0]!r}, which is no volume there" if missing else "names no CT"
            raise UsageError(f"{path}, line {number}: it {what}; mend the line or remove it")
        before = lines.setdefault(named["ct"], number)
        if before != number:
            raise UsageError(
                f"{path}, line {number}: it names the CT {named['ct']!r}, as line {before} does; "
                "expected one line for each session, with pet, petnac or both; remove the other"
            )
        ct = found[named["ct"]]
        pet = named["petnac"] or named["pet"]
        yield Session(
            replace(ct, license=row["license"] or ct.license),
            found[pet] if pet else None,
            corrected=not named["petnac"],
        )


def _read_rows(path: Path) -> list[dict[str, str]] | None:
    """The lines of a table of sessions, blanks around its values removed; None: there is none."""
    table = read_text_table(path)
    if table is None or "ct" not in table.columns:
        return None
    known = (*_KINDS, "patient", "license")
    return [{name: row.get(name, "") for name in known} for row in table.rows]
