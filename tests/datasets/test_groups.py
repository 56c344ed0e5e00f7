"""Groups of patients: disjoint, never empty where they are needed, and the user's word."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfsynth.datasets.groups import Member, group_patients
from dfsynth.errors import UsageError
from dfsynth.splits import SPLITS, split_of

UNHURRIED = settings(deadline=None)
PATIENTS = st.lists(st.integers(0, 60), min_size=1, max_size=80)


def members(patients, split=None):
    return [Member(f"pair{n}", f"p{p}", split) for n, p in enumerate(patients)]


@UNHURRIED
@given(PATIENTS.filter(lambda found: len(set(found)) > 1))
def test_every_patient_has_one_group_and_somebody_trains_and_validates(patients):
    split = group_patients(members(patients), binding=True).split
    assert split.keys() == {f"p{p}" for p in patients}
    assert set(split.values()) <= set(SPLITS)
    assert {"train", "val"} <= set(split.values())


@UNHURRIED
@given(PATIENTS.filter(lambda found: len(set(found)) > 5))
def test_with_six_patients_or_more_no_group_is_empty(patients):
    split = group_patients(members(patients), binding=False).split
    assert set(split.values()) == set(SPLITS)


@UNHURRIED
@given(PATIENTS.filter(lambda found: len(set(found)) > 1), st.randoms())
def test_groups_depend_on_the_patients_and_not_on_their_order(patients, shuffler):
    shuffled = list(patients)
    shuffler.shuffle(shuffled)
    one, other = (group_patients(members(found), True) for found in (patients, shuffled))
    assert one.split == other.split
    assert one.warnings == other.warnings


def test_many_patients_keep_the_group_of_their_name_alone():
    found = group_patients(members(range(400)), binding=True)
    assert found.split == {f"p{n}": split_of(f"p{n}") for n in range(400)}
    assert not found.warnings


def test_moves_are_warned_of():
    found = group_patients(members(range(6)), binding=True)
    assert any("whole patients were moved" in text for text in found.warnings)


@UNHURRIED
@given(
    st.dictionaries(st.integers(0, 30), st.sampled_from([*SPLITS, None]), min_size=2),
    st.integers(1, 3),
)
def test_chosen_splits_stand_but_for_training_patients_that_validate(chosen, pairs_each):
    given_members = [
        Member(f"{patient}-{n}", str(patient), split)
        for patient, split in chosen.items()
        for n in range(pairs_each)
    ]
    found = group_patients(given_members, binding=True).split
    counts = Counter(chosen.values())
    if counts["train"] > 1 or counts[None] > 1:
        assert {"train", "val"} <= set(found.values())
    for patient, split in chosen.items():
        if split == "train":
            assert found[str(patient)] in SPLITS
        elif split is not None:
            assert found[str(patient)] == split


def test_nobody_is_moved_into_test_where_every_split_was_chosen():
    found = group_patients(
        [*members(range(20), "train"), Member("v", "v", "val")], binding=True
    ).split
    assert Counter(found.values()) == {"train": 20, "val": 1}


def test_pairs_that_are_all_there_to_test_stay_so():
    found = group_patients(members(range(20), "test"), binding=True)
    assert set(found.split.values()) == {"test"}
    assert not found.warnings


def test_a_pair_without_a_split_follows_its_patient():
    found = group_patients(
        [
            Member("a", "x", "test"),
            Member("b", "x", None),
            Member("c", "y", "train"),
            Member("d", "z", "val"),
        ],
        binding=True,
    )
    assert found.split == {"x": "test", "y": "train", "z": "val"}


def test_a_patient_in_two_splits_is_refused_by_name():
    with pytest.raises(UsageError, match=r"patient 'x' is in test and, with pair 'b', in train"):
        group_patients([Member("a", "x", "test"), Member("b", "x", "train")], binding=True)


def test_other_names_of_splits_are_understood_and_unknown_ones_refused():
    found = group_patients(
        [Member("a", "x", "Training"), Member("b", "y", " validation")], binding=True
    )
    assert found.split == {"x": "train", "y": "val"}
    with pytest.raises(UsageError, match=r"found the split 'fold1'; expected one of train, val"):
        group_patients([Member("a", "x", "fold1"), Member("b", "y", "val")], binding=True)


def test_one_patient_stays_where_it_is_and_nobody_is_refused():
    for binding in (False, True):
        alone = group_patients([Member("a", "x", None), Member("b", "x", None)], binding)
        assert alone.split == {"x": split_of("x")}
        assert not alone.warnings
    with pytest.raises(UsageError, match="at least one patient"):
        group_patients([], binding=True)


def test_two_patients_of_one_group_are_parted():
    same = [f"p{n}" for n in range(500) if split_of(f"p{n}") == "test"][:2]
    found = group_patients([Member(p, p, None) for p in same], binding=False)
    assert sorted(found.split.values()) == ["train", "val"]


def test_who_is_moved_says_nothing_of_names_in_order():
    moved: Counter[str] = Counter()
    for seed in range(30):
        names = [f"{seed}-{n}" for n in range(10)]
        random.Random(seed).shuffle(names)
        split = group_patients([Member(n, n, None) for n in names], binding=False).split
        moved.update(n.split("-")[1] for n in names if split[n] == "val")
    assert len(moved) > 5
