"""A simulation as planning takes it: options and the maker's subjects → plan and fingerprint."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

import pyarrow as pa

from dfsynth.errors import UsageError
from dfsynth.files.row_spool import RowSpool
from dfsynth.jobs.pair_maker import PairMaker
from dfsynth.jobs.planning import Draft
from dfsynth.options import SimulateOptions
from dfsynth.records import Subjects
from dfsynth.splits import split_of
from dfsynth.store.pairs_record import PairsRecord, new_pairs_record, pairs_fingerprint
from dfsynth.store.plan import NumberedRows

_TEXTS: Final = ("image_id", "patient_id", "split", "origin", "source", "license")
_TYPES: Final[Mapping[str, pa.DataType]] = {
    **dict.fromkeys(_TEXTS, pa.string()),
    "seed": pa.int64(),
}


@dataclass(frozen=True, slots=True)
class PairsJob:
    """Implements `dfsynth.jobs.planning.Job`."""

    options: SimulateOptions
    maker: PairMaker

    @property
    def overwrite(self) -> bool:
        return self.options.overwrite

    @property
    def record_type(self) -> type[PairsRecord]:
        return PairsRecord

    def draft(self) -> Draft[PairsRecord]:
        """Asks for the subjects, and gives each pair its name, split and seed; writes nothing.

        Raises:
            UsageError: no input can be used.
        """
        options = self.options
        subjects = self.maker.subjects(options.n)
        rows = len(subjects.lines)
        if not rows or options.n not in (None, rows):
            raise UsageError(_nothing_usable(options, subjects))
        plan = NumberedRows(list_pairs(subjects, options.seed), options.shard_size, None)
        record = new_pairs_record(
            pairs_fingerprint(options, self.maker.settings()),
            tuple(sorted({line.license for line in subjects.lines})),
            rows,
            subjects.excluded,
        )
        return Draft(record, plan, subjects.warnings)

    def differences(self, held: PairsRecord) -> list[str]:
        """See `Job`."""
        wanted = pairs_fingerprint(self.options, self.maker.settings())
        return held.fingerprint.differences(wanted)


def list_pairs(subjects: Subjects, seed: int) -> RowSpool:
    """The plan's columns less `row` and `shard`; line i depends on subject i and the seed alone."""
    lines = []
    for number, subject in enumerate(subjects.lines):
        image_id = f"pair-{number:07d}"
        split = split_of(subject.patient_id)
        own_seed = {"image_id": image_id, "split": split, "seed": seed_of(image_id, seed)}
        lines.append(asdict(subject) | own_seed)
    return RowSpool.of(pa.Table.from_pylist(lines, schema=pa.schema(_TYPES)))


def seed_of(image_id: str, seed: int) -> int:
    """The seed of one pair, in [0, 2^63)."""
    digest = hashlib.blake2b(f"{seed}:{image_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def _nothing_usable(options: SimulateOptions, subjects: Subjects) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(subjects.excluded.items()))
    first = f"; the first: {subjects.warnings[0]}" if subjects.warnings else ""
    asked = f"--origin {options.origin}"
    expected = "one CT of the chest in --ct or one frontal radiograph in --cxr"
    if options.volumes is not None:
        asked = f"--volumes {options.volumes}"
        expected = "one volume with a slice that shows something"
    return (
        f"{asked}: no input can be used, found {reasons or 'none'}{first}; expected at least "
        f"{expected}"
    )
