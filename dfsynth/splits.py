"""Which of four disjoint groups of patients a patient belongs to."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final, get_args

from dfsynth.errors import UsageError
from dfsynth.records import Split

SPLITS: Final[tuple[Split, ...]] = get_args(Split)
SPLIT_SHARES: Final[Mapping[Split, float]] = {
    "train": 0.8,
    "val": 0.05,
    "calibration": 0.05,
    "test": 0.1,
}
"""[assumed]"""
_OTHER_NAMES: Final[Mapping[str, Split]] = {
    "training": "train",
    "validation": "val",
    "validate": "val",
    "valid": "val",
    "dev": "val",
    "calib": "calibration",
    "testing": "test",
}


def split_of(patient_id: str, among: Sequence[Split] = SPLITS) -> Split:
    """The patient's group, which depends on the patient alone: the same in every store.

    The shares hold over many patients; a few may all fall into one group. Of some groups only,
    `among`, those have shares in the same proportion.
    """
    digest = hashlib.blake2b(patient_id.encode(), digest_size=8, person=b"split").digest()
    left = int.from_bytes(digest, "big") / 2**64
    if tuple(among) != SPLITS:
        left *= sum(SPLIT_SHARES[split] for split in among)
    for split in among:
        if left < SPLIT_SHARES[split]:
            return split
        left -= SPLIT_SHARES[split]
    # Rounding: the shares add up to 1.
    return among[-1]


def split_named(text: str) -> Split:
    """The group that a table calls `text`: `validate` is `val`, case does not matter.

    Raises:
        UsageError: an unknown name.
    """
    name = text.strip().lower()
    known = {split: split for split in SPLITS} | dict(_OTHER_NAMES)
    if name not in known:
        raise UsageError(f"found the split {text!r}; expected one of {', '.join(SPLITS)}")
    return known[name]
