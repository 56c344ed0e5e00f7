"""Recipes that name the file of a task."""

from dataclasses import replace
from pathlib import Path

import pytest
from own_task import RECIPE, write_task

from dfsynth.errors import UsageError
from dfsynth.files.toml_record import parse_record
from dfsynth.records import Task
from dfsynth.tasks import find_task
from dfsynth.train import read_recipe, recipe_path
from dfsynth.train.recipe import recipe_entries
from dfsynth.train.recipe_fit import fit_recipe


def write_recipe(folder: Path) -> Path:
    path = folder / "recipe.toml"
    path.write_text(RECIPE)
    return path


def test_a_recipe_names_the_file_of_its_task_from_its_own_folder(tmp_path: Path) -> None:
    task = find_task(str(write_task(tmp_path)))
    recipe = read_recipe(write_recipe(tmp_path))
    assert (recipe.task, recipe.own_task, recipe.task_record) == ("ct-kernel", task, task)
    assert parse_record(Task, recipe_entries(recipe)["own_task"]) == task


@pytest.mark.parametrize("task", ["ct-kernel.toml", "pet-ct", None])
def test_a_recipe_without_a_window_has_that_of_its_task(tmp_path: Path, task: str | None) -> None:
    write_task(tmp_path)
    text = RECIPE.replace("window = [-1000.0, 1000.0]\n", "")
    path = tmp_path / "recipe.toml"
    named = f'task = "{task}"\n' if task else ""
    path.write_text(text.replace('task = "ct-kernel.toml"\n', named))
    assert read_recipe(path).window == ((-1000.0, 1000.0) if task else (0.0, 1.0))


def test_a_recipe_says_which_task_it_cannot_read(tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    with pytest.raises(UsageError, match=r"the recipe .*recipe\.toml: cannot read the task .*ct-k"):
        read_recipe(path)
    path.write_text(RECIPE.replace('"ct-kernel.toml"', '"pet-ct"') + "[own_task]\n")
    with pytest.raises(UsageError, match="unknown key 'own_task'"):
        read_recipe(path)


def test_a_packaged_recipe_fits_a_task_of_ones_own_and_says_nothing_of_packaged_ones(
    tmp_path: Path,
) -> None:
    task = find_task(str(write_task(tmp_path)))
    pix2pix = read_recipe(recipe_path("pix2pix"))
    fitted = fit_recipe(pix2pix, task, 64)
    assert (fitted.task, fitted.own_task) == ("ct-kernel", task)
    assert "own_task" not in recipe_entries(pix2pix)
    grey = replace(task, input=replace(task.input, intensity=None))
    shifted = replace(pix2pix, augmentation=replace(pix2pix.augmentation, shifts=0.5, shadows=0.5))
    augmentation = fit_recipe(shifted, grey).augmentation
    assert (augmentation.shadows, augmentation.shifts) == (0.0, 0.0)
    assert augmentation.gamma == pix2pix.augmentation.gamma > 0
