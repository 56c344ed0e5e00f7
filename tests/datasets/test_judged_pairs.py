"""Values of files that a checkpoint's task does not declare are said by what reads them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from noise_pairs import NoisePairs
from own_task import rescale
from pair_warnings import warnings_of

from dfsynth.datasets import JudgedPairs, open_pairs
from dfsynth.datasets.file_pairs import FilePairs
from dfsynth.errors import UsageError
from dfsynth.records import Task


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pairs whose files were decoded, in order."""
    found: list[int] = []
    examine = FilePairs.examine

    def watched(source: FilePairs, index: int):
        found.append(index)
        return examine(source, index)

    monkeypatch.setattr(FilePairs, "examine", watched)
    return found


def judged(folders: tuple[Path, Path], task: Task) -> JudgedPairs:
    """As an evaluation opens them: targets in their unit."""
    return JudgedPairs(open_pairs(*folders, 32, task.window, task.input.convention, task))


def test_values_as_declared_are_nothing_to_say_and_read_once(slices, task, reads) -> None:
    pairs = judged(slices, task)
    pairs.require_meant(range(4))
    assert reads == [0]
    for index in range(4):
        pairs.read(index)
    assert pairs.remarks() == ()
    assert reads == [0, 0, 1, 2, 3]


@pytest.mark.parametrize(("end", "scale"), [(0, 20.0), (1, 20.0), (0, 1e-3)])
def test_warnings_are_those_of_training_but_for_what_a_checkpoint_cannot_change(
    slices, task, end: int, scale: float
) -> None:
    rescale(slices[end], scale)
    pairs = judged(slices, task)
    pairs.require_meant(range(4))
    for index in range(4):
        pairs.read(index)
    (line,) = pairs.remarks()
    said = warnings_of(slices, task)
    assert [f"warning: {line}"] == [words.partition(", or say in [")[0] for words in said]


def test_pairs_that_the_task_cannot_mean_are_refused_before_anything_is_computed(
    slices, task, reads
) -> None:
    rescale(slices[1], 1000.0)
    words = r"targets of 4 of 4 pairs are far from -1000 to 1000 HU, \[output\] intensity of the t"
    with pytest.raises(UsageError, match=words) as caught:
        judged(slices, task).require_meant(range(4))
    assert str(caught.value).endswith("; convert the files")
    assert reads == [0, 1, 2, 3]


def test_reading_ends_at_the_first_pair_that_may_be_meant(slices, task, reads) -> None:
    rescale(slices[0], 1000.0, "case000.npy")
    pairs = judged(slices, task)
    pairs.require_meant(range(4))
    assert reads == [0, 1]
    (line,) = pairs.remarks()
    assert line.startswith("the inputs of 1 of 2 pairs are far from -1000 to 1000 HU")


def test_a_window_of_the_card_stands_for_what_the_task_leaves_out(slices, task) -> None:
    unscaled = replace(task, output=replace(task.output, intensity=None))
    pairs = judged(slices, unscaled)
    pairs.require_meant(range(4))
    assert pairs.remarks() == ()


def test_other_sources_are_passed_through() -> None:
    source = NoisePairs(3)
    pairs = JudgedPairs(source)
    pairs.require_meant(range(3))
    assert (pairs.rows, pairs.description) == (source.rows, source.description)
    assert (pairs.knows_lungs, pairs.fingerprint()) == (source.knows_lungs, source.fingerprint())
    assert np.array_equal(pairs.read(1).image, source.read(1).image)
    assert pairs.remarks() == ()
