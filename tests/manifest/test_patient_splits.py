"""Patients are dealt out, never images; what a corpus says of its splits is kept."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfsynth.errors import UsageError
from dfsynth.manifest import rows_in_split, split_rows
from dfsynth.splits import SPLITS, split_of

Line = tuple[str | None, str | None]
"""Patient and the corpus's split."""


def manifest(lines: list[Line]) -> pa.Table:
    patients, splits = zip(*lines, strict=True) if lines else ((), ())
    return pa.table(
        {
            "row": pa.array(range(len(lines)), pa.int64()),
            "image_id": pa.array([f"i{n}" for n in range(len(lines))], pa.string()),
            "patient_id": pa.array(patients, pa.string()),
            "split": pa.array(splits, pa.string()),
        }
    )


@given(
    st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 40).map(str)), st.none()), min_size=1)
)
def test_no_patient_is_in_two_splits_and_the_hash_alone_decides(lines: list[Line]) -> None:
    found = split_rows(manifest(lines), "corpus").tolist()
    assert found == split_rows(manifest(lines), "hash").tolist()
    for (patient, _), split in zip(lines, found, strict=True):
        if patient is not None:
            assert split == split_of(patient)


def test_images_of_no_known_patient_are_dealt_out_one_by_one() -> None:
    found = set(split_rows(manifest([(None, None)] * 300), "corpus").tolist())
    assert found == set(SPLITS)


def test_the_corpus_is_followed_and_its_names_are_understood() -> None:
    lines: list[Line] = [("a", "train"), ("b", "Validate"), ("c", "test"), ("a", None)]
    assert split_rows(manifest(lines), "corpus").tolist() == ["train", "val", "test", "train"]
    expected = [split_of(name) for name in "abca"]
    assert split_rows(manifest(lines), "hash").tolist() == expected


def test_train_val_is_dealt_out_among_all_but_test() -> None:
    lines: list[Line] = [(f"p{n}", "train_val") for n in range(400)]
    found = split_rows(manifest(lines), "corpus").tolist()
    assert set(found) == {"train", "val", "calibration"}
    assert 0.8 < found.count("train") / 400 < 0.98


def test_a_patient_in_two_splits_of_the_corpus_is_named() -> None:
    lines: list[Line] = [("a", "train"), ("b", "train"), ("b", "test")]
    with pytest.raises(UsageError, match=r"'b' is in test and in train.*split_from='hash'"):
        split_rows(manifest(lines), "corpus")


def test_an_unknown_name_of_a_split_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'fold3'; expected one of train.*train_val.*hash"):
        split_rows(manifest([("a", "fold3")]), "corpus")


def test_a_split_without_images_says_which_there_are() -> None:
    table = manifest([("a", "train"), ("b", "test"), ("c", "train")])
    assert rows_in_split(table, "train", "corpus").tolist() == [0, 2]
    with pytest.raises(UsageError, match=r"'val' holds no image .* found train 2, test 1"):
        rows_in_split(table, "val", "corpus")
    with pytest.raises(UsageError, match="found none at all"):
        rows_in_split(manifest([]), "val", "corpus")
    with pytest.raises(UsageError, match="split 'valid': expected one of train, val"):
        rows_in_split(table, "valid", "corpus")  # type: ignore[arg-type]
