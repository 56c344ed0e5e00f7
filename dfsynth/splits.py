"""Which of four disjoint groups of patients a patient belongs to."""

import hashlib
from collections.abc import Mapping
from typing import Final

from dfsynth.records import Split

SPLIT_SHARES: Final[Mapping[Split, float]] = {
    "train": 0.8,
    "val": 0.05,
    "calibration": 0.05,
    "test": 0.1,
}
"""[assumed]"""


def split_of(patient_id: str) -> Split:
    """The patient's group, which depends on the patient alone: the same in every store.

    The shares hold over many patients; a few may all fall into one group.
    """
    digest = hashlib.blake2b(patient_id.encode(), digest_size=8, person=b"split").digest()
    left = int.from_bytes(digest, "big") / 2**64
    for split, share in SPLIT_SHARES.items():
        if left < share:
            return split
        left -= share
    # Rounding: the shares add up to 1.
    return "test"
