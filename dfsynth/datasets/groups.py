"""Which patients train, validate, calibrate and test: four groups that share no patient."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dfsynth.errors import UsageError
from dfsynth.records import Split
from dfsynth.splits import SPLIT_SHARES, SPLITS, split_named, split_of


@dataclass(frozen=True, slots=True)
class Member:
    """One pair before its group is known."""

    key: str
    patient_id: str
    split: str | None
    """What its table says; None where it says nothing."""


@dataclass(frozen=True, slots=True)
class Groups:
    """The group of each patient."""

    split: Mapping[str, Split]
    warnings: tuple[str, ...]


def group_patients(members: Sequence[Member], binding: bool) -> Groups:
    """Gives every patient one group, the same for the same patients in any order.

    A patient's group is what any of its pairs says, else `split_of`. Where no patient then trains
    or validates, whole patients are moved; calibration and test are filled as well, as long as half
    of the patients still train. `binding` says that the splits of `members` were chosen on purpose:
    then no patient with such a split is moved out of validation, calibration or test, so that
    groups may stay empty, for example of pairs that are all there to test.

    Raises:
        UsageError: an unknown split, a patient in two of them, or no patient.
    """
    given = _given(members)
    patients = sorted({member.patient_id for member in members})
    if not patients:
        raise UsageError("found no pair; expected pairs of at least one patient")
    split = {patient: given.get(patient) or split_of(patient) for patient in patients}
    if len(patients) == 1:
        # Too few to train on, but an evaluation of one patient may be wanted.
        return Groups(split, ())
    free = {patient for patient in patients if not (binding and patient in given)}
    before = dict(split)
    _fill_train(split, free)
    _fill_val(split, free)
    if free:
        others: tuple[Split, ...] = ("test", "calibration")
        for name in others:
            _fill_rest(split, name, free)
    return Groups(split, _warn_of_moves(before, split))


def _given(members: Iterable[Member]) -> dict[str, Split]:
    found: dict[str, Split] = {}
    for member in members:
        if member.split is None:
            continue
        split = split_named(member.split)
        other = found.setdefault(member.patient_id, split)
        if other != split:
            raise UsageError(
                f"patient {member.patient_id!r} is in {other} and, with pair {member.key!r}, in "
                f"{split}; expected each patient in one split; correct the column split"
            )
    return found


def _fill_train(split: dict[str, Split], free: set[str]) -> None:
    if "train" not in split.values():
        # One at least stays for validation.
        most = min(_share("train", split), len(split) - 1)
        _move(split, _shuffled(free)[:most], "train")


def _fill_val(split: dict[str, Split], free: set[str]) -> None:
    if "val" not in split.values():
        training = _shuffled(patient for patient, name in split.items() if name == "train")
        pool = training[1:] or _shuffled(patient for patient in free if split[patient] != "train")
        _move(split, pool[: _share("val", split)], "val")


def _fill_rest(split: dict[str, Split], name: Split, free: set[str]) -> None:
    if name in split.values():
        return
    pool: list[str] = []
    for group in SPLITS[1:]:
        # One at least stays.
        pool += _shuffled(patient for patient in free if split[patient] == group)[1:]
    training = _shuffled(patient for patient, group in split.items() if group == "train")
    pool += training[: max(len(training) - (len(split) + 1) // 2, 0)]
    _move(split, pool[: _share(name, split)], name)


def _share(name: Split, split: Mapping[str, Split]) -> int:
    return max(1, round(SPLIT_SHARES[name] * len(split)))


def _move(split: dict[str, Split], patients: Iterable[str], name: Split) -> None:
    for patient in patients:
        split[patient] = name


def _shuffled(patients: Iterable[str]) -> list[str]:
    """Patients in an order that says nothing of them and never changes."""

    def position(patient: str) -> bytes:
        return hashlib.blake2b(patient.encode(), digest_size=8, person=b"deal").digest()

    return sorted(patients, key=position)


def _warn_of_moves(before: Mapping[str, Split], after: Mapping[str, Split]) -> tuple[str, ...]:
    moves = Counter((before[p], after[p]) for p in after if before[p] != after[p])
    if not moves:
        return ()
    moved = ", ".join(f"{n} from {old} to {new}" for (old, new), n in sorted(moves.items()))
    return (
        f"some groups had no patient, so whole patients were moved: {moved}; with more patients "
        "they may be in another group: do not compare with results on a larger set, and do not "
        "test a generator here that was trained on a larger set, which may have held these "
        "patients",
    )
