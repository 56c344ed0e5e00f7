"""A task of one's own that leaves out `intensity` is told so before training."""

from dataclasses import replace
from pathlib import Path

import pytest
from error_lines import one_line
from own_task import write_slices, write_task

from dfsynth.errors import UsageError
from dfsynth.records import Task
from dfsynth.tasks import find_task, task_named, task_names
from dfsynth.train import read_recipe, recipe_path
from dfsynth.train.declared_scales import check_scales
from dfsynth.train.recipe import Recipe
from dfsynth.train.recipe_fit import fit_recipe


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """Of values in HU."""
    return find_task(str(write_task(tmp_path)))


def fitted(task: Task, recipe: str = "translation") -> Recipe:
    return fit_recipe(read_recipe(recipe_path(recipe)), task, 64)


def without_output(task: Task, window: tuple[float, float]) -> Task:
    return replace(task, window=window, output=replace(task.output, intensity=None))


def test_what_says_all_is_nothing_to_say(task: Task) -> None:
    assert check_scales(fitted(task)) == ()
    for name in task_names():
        assert check_scales(fitted(task_named(name))) == ()


def test_grey_values_need_none(task: Task) -> None:
    grey = without_output(task, (0.0, 1.0))
    grey = replace(grey, input=replace(grey.input, unit="1", intensity=None))
    assert check_scales(fitted(grey)) == ()


@pytest.mark.parametrize("window", [(-1000.0, 1000.0), (0.0, 255.0), (0.0, 0.003)])
def test_targets_that_networks_cannot_reach_are_refused(task: Task, window) -> None:
    low, high = window
    words = (
        rf"the task ct-kernel leaves out \[output\] intensity: targets are .* about {low:g} to "
        rf"{high:g} HU, .*; add to its file intensity = \[{low:g}, {high:g}\] below \[output\]$"
    )
    with pytest.raises(UsageError, match=words):
        check_scales(fitted(without_output(task, window)))


@pytest.mark.parametrize("high", [0.02, 20.0])
def test_targets_that_are_somewhat_off_are_warned_of(task: Task, high: float) -> None:
    (line,) = check_scales(fitted(without_output(task, (0.0, high))))
    assert f"add to its file intensity = [0, {high:g}] below [output]" in line


@pytest.mark.parametrize("high", [0.1, 5.0])
def test_targets_that_are_near_enough_are_not(task: Task, high: float) -> None:
    assert check_scales(fitted(without_output(task, (0.0, high)))) == ()


def test_samplers_learn_shares_of_their_span(task: Task) -> None:
    pytest.importorskip("monai")
    assert check_scales(fitted(without_output(task, (-1000.0, 1000.0)), "flow-64")) == ()


def test_an_input_that_would_lose_its_unit_is_refused(task: Task) -> None:
    unscaled = replace(task, input=replace(task.input, intensity=None))
    words = (
        r"leaves out \[input\] intensity: each input is windowed .* keeps its unit HU; add to its "
        r'file intensity = \[-1000, 1000\] below \[input\], or unit = "1" there of grey values$'
    )
    with pytest.raises(UsageError, match=words):
        check_scales(fitted(unscaled))


@pytest.mark.parametrize("window", [(0.0, 1.0), (1500.0, 2500.0), (-3e5, 3e5)])
def test_a_window_that_another_task_has_is_refused(task: Task, window) -> None:
    recipe = replace(fitted(task), window=window)
    low, high = window
    words = (
        rf"the recipe translation has window = \[{low:g}, {high:g}\], but the task ct-kernel "
        r"\[-1000, 1000\]: .*; say window = \[-1000, 1000\], or leave it out$"
    )
    with pytest.raises(UsageError, match=words):
        check_scales(recipe)


@pytest.mark.parametrize("window", [(0.0, 80.0), (-1024.0, 3071.0)])
def test_a_window_of_soft_tissue_or_of_all_values_is_not(task: Task, window) -> None:
    assert check_scales(replace(fitted(task), window=window)) == ()


def test_both_are_said_in_one_line_before_anything_is_written(tmp_path: Path, run_cli) -> None:
    path = write_task(tmp_path)
    path.write_text(path.read_text().replace("intensity = [-1000.0, 1000.0]\n", ""))
    sharp, smooth = write_slices(tmp_path, 4)
    command = ("train", "tiny-cpu", "--task", path, "--size", 32, "--data", sharp)
    for more in ((), ("--dry-run",)):
        status, out, err = run_cli(*command, "--targets", smooth, "--out", tmp_path / "r", *more)
        assert (status, out) == (2, "")
        line = one_line(err)
        assert "leaves out [input] intensity and [output] intensity" in line
        assert not (tmp_path / "r").exists()
