"""The split of each row of a manifest: patients, not images, are dealt out."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dfsynth.errors import UsageError
from dfsynth.records import Split
from dfsynth.splits import SPLITS, split_named, split_of

SplitSource: TypeAlias = Literal["corpus", "hash"]
"""`corpus`: its own splits where it has any. `hash`: by patient alone, whatever the corpus says."""

_POOL: Final[tuple[Split, ...]] = ("train", "val", "calibration")
_POOLS: Final = frozenset({"train_val", "trainval", "train-val"})
"""What corpora call the patients that are not held out for testing (ChestX-ray14)."""
_ADVICE: Final = "split_from='hash' deals patients out without the corpus's column"


def split_rows(manifest: pa.Table, split_from: SplitSource) -> NDArray[np.str_]:
    """The split of each row of a whole manifest, (rows); no patient has two.

    With "corpus", patients whom the corpus puts into a split stay there; one that it names for
    training and validation together (`train_val`) is dealt out among train, val and calibration.
    All other patients are dealt out by a hash of their id (`dfsynth.splits.split_of`). An image
    of no known patient counts as a patient.

    Raises:
        UsageError: the corpus has a split of an unknown name, or one patient in two of them.
    """
    # No patient is called so, so that an image never shares the hash of a patient.
    prefix, nothing = pa.scalar("image:"), pa.scalar("")
    lone: Any = pc.binary_join_element_wise(prefix, manifest["image_id"], nothing)  # type: ignore[call-overload]
    patients = pc.coalesce(manifest["patient_id"], lone).combine_chunks().dictionary_encode()
    names: list[str] = patients.dictionary.to_pylist()
    given = _given(patients, names, manifest) if split_from == "corpus" else {}
    dealt = [split_of(name, given.get(name, SPLITS)) for name in names]
    found: NDArray[np.str_] = np.array(dealt, dtype=np.str_)[patients.indices.to_numpy()]
    return found


def rows_in_split(manifest: pa.Table, split: Split, split_from: SplitSource) -> NDArray[np.int64]:
    """The numbers `row` (n), ascending, of the rows of a whole manifest that are in one split.

    Raises:
        UsageError: no row is in it, or as `split_rows`.
    """
    if split not in SPLITS:
        raise UsageError(f"split {split!r}: expected one of {', '.join(SPLITS)}")
    splits = split_rows(manifest, split_from)
    rows: NDArray[np.int64] = manifest["row"].to_numpy()[splits == split]
    if not rows.size:
        counts = Counter(splits.tolist())
        held = ", ".join(f"{name} {counts[name]}" for name in SPLITS if counts[name])
        raise UsageError(
            f"split {split!r} holds no image of the store: found {held or 'none at all'}; "
            f"expected some; {_ADVICE}"
        )
    return rows


def _given(
    patients: "pa.DictionaryArray[Any, Any]", names: list[str], manifest: pa.Table
) -> Mapping[str, tuple[Split, ...]]:
    """Among which splits the corpus has each patient, of those of whom it says anything."""
    columns: list[Any] = [patients.indices, manifest["split"]]
    pairs = pa.Table.from_arrays(columns, names=["patient", "split"])
    lines = pairs.filter(pc.is_valid(pairs["split"])).group_by(["patient", "split"]).aggregate([])
    found: dict[str, tuple[Split, ...]] = {}
    for line in sorted(lines.to_pylist(), key=lambda line: (line["patient"], line["split"])):
        patient, text = names[line["patient"]], line["split"]
        choice = _choice(text)
        if found.setdefault(patient, choice) != choice:
            raise UsageError(
                f"patient {patient!r} is in {found[patient][0]} and in {text} of the corpus; "
                f"expected each patient in one split; {_ADVICE}"
            )
    return found


def _choice(text: str) -> tuple[Split, ...]:
    if text.strip().lower() in _POOLS:
        return _POOL
    try:
        return (split_named(text),)
    except UsageError as error:
        raise UsageError(f"{error}, or {', '.join(sorted(_POOLS))}; {_ADVICE}") from error
