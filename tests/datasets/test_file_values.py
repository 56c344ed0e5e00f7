"""Values of files that their task does not declare are said before training."""

from dataclasses import replace
from pathlib import Path

import pytest
from own_task import rescale, write_slices
from pair_files import write_radiograph
from pair_warnings import warnings_of

from dfsynth.errors import UsageError
from dfsynth.records import Task
from dfsynth.tasks import task_named


def grey_input(task: Task) -> Task:
    return replace(task, input=replace(task.input, unit="1", intensity=None))


def grey_output(task: Task) -> Task:
    return replace(task, output=replace(task.output, unit="1", intensity=None), window=(0.0, 1.0))


def test_values_as_declared_are_nothing_to_say(slices: tuple[Path, Path], task: Task) -> None:
    assert warnings_of(slices, task) == []


def test_values_where_grey_values_are_declared_are_warned_of_once(
    slices: tuple[Path, Path], task: Task
) -> None:
    (line,) = warnings_of(slices, grey_input(task))
    assert line.startswith(
        "warning: the inputs of 4 of 4 pairs are floating-point values, as of the pair 'case000' "
        "from -99"
    )
    assert "the task ct-kernel declares grey values" in line
    assert "[input] intensity" in line


def test_whole_numbers_are_grey_values(tmp_path: Path) -> None:
    for number in range(2):
        write_radiograph(tmp_path / "in" / f"{number}.png", number)
        write_radiograph(tmp_path / "out" / f"{number}.png", 10 + number)
    folders = tmp_path / "in", tmp_path / "out"
    assert warnings_of(folders, task_named("restoration")) == []


def test_targets_far_from_what_networks_give_are_refused(
    slices: tuple[Path, Path], task: Task
) -> None:
    words = (
        r"the targets of 4 of 4 pairs are far from 0 to 1, the window of the task ct-kernel: the "
        r"pair 'case000' has -\d+ to 100; convert the files, or say in \[output\] unit"
    )
    with pytest.raises(UsageError, match=words):
        warnings_of(slices, grey_output(task))


def test_a_window_of_a_recipe_is_called_so(slices: tuple[Path, Path], task: Task) -> None:
    with pytest.raises(
        UsageError, match=r"are far from 0 to 2, the window of the recipe: the pair"
    ):
        warnings_of(slices, grey_output(task), (0.0, 2.0))


def test_inputs_of_another_unit_are_refused_where_all_are(
    slices: tuple[Path, Path], task: Task
) -> None:
    rescale(slices[0], 1000.0)
    words = r"inputs of 4 of 4 pairs .* -1000 to 1000 HU, \[input\] intensity of the task ct-kernel"
    with pytest.raises(UsageError, match=words):
        warnings_of(slices, task)


@pytest.mark.parametrize(("scale", "only", "count"), [(20.0, "*", 4), (1000.0, "case002.npy", 1)])
def test_what_may_be_right_is_warned_of(
    slices: tuple[Path, Path], task: Task, scale: float, only: str, count: int
) -> None:
    for folder, noun in zip(slices, ("inputs", "targets"), strict=True):
        rescale(folder, scale, only)
        lines = [line for line in warnings_of(slices, task) if noun in line]
        assert len(lines) == 1
        assert (
            f"warning: the {noun} of {count} of 4 pairs are far from -1000 to 1000 HU" in lines[0]
        )


def test_values_of_a_far_wider_range_are_warned_of(slices: tuple[Path, Path], task: Task) -> None:
    rescale(slices[0], 1e-3)
    (line,) = warnings_of(slices, task)
    assert line.startswith("warning: the inputs of 4 pairs lie between -1.")
    assert "of -1000 to 1000 HU, [input] intensity of the task ct-kernel" in line


def test_a_task_of_ours_cannot_be_told_to_declare_more(tmp_path: Path) -> None:
    folders = write_slices(tmp_path, 2)
    with pytest.raises(UsageError, match=r"0 to 1 g/mL") as caught:
        warnings_of(folders, task_named("pet-ct"))
    assert "or say in" not in str(caught.value)
