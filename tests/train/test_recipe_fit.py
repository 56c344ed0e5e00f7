"""Recipes fitted to a task: what depends on it is set, and nothing else."""

from dataclasses import replace

import pytest
from support_training import prepared

from dfsynth.checkpoint import CascadeConfig, FlowConfig, MunitConfig
from dfsynth.errors import UsageError
from dfsynth.tasks import task_named, task_names
from dfsynth.train import estimate_training, read_recipe, recipe_path
from dfsynth.train.recipe import Recipe, recipe_entries
from dfsynth.train.recipe_file import packaged_recipes
from dfsynth.train.recipe_fit import describe_fit, fit_recipe

MRI, PET, CT = (task_named(name) for name in ("mri-undersampled", "pet-ct", "dark-field-ct"))


def packaged(name: str) -> Recipe:
    return read_recipe(recipe_path(name))


def with_residual(recipe: Recipe) -> Recipe:
    assert not isinstance(recipe.network, MunitConfig)
    return replace(recipe, network=replace(recipe.network, residual=0.25))


@pytest.mark.parametrize("task", task_names())
@pytest.mark.parametrize("name", sorted(packaged_recipes()))
def test_every_packaged_recipe_fits_every_task(name: str, task: str) -> None:
    recipe = packaged(name)
    fitted = fit_recipe(recipe, task_named(task), 64)
    assert (fitted.task, fitted.size) == (task, 64)
    assert (fitted.phase, fitted.optimiser) == (recipe.phase, recipe.optimiser)


def test_nothing_is_changed_where_all_fits() -> None:
    recipe = packaged("streaks-ct")
    fitted = fit_recipe(recipe, CT)
    assert fitted == recipe
    assert describe_fit(recipe, fitted) == ()


def test_values_in_a_unit_keep_their_appearance() -> None:
    augmentation = fit_recipe(packaged("compact-256"), MRI).augmentation
    before = packaged("compact-256").augmentation
    assert before.changes_appearance
    assert not augmentation.changes_appearance
    assert not augmentation.shifts
    assert (augmentation.scale, augmentation.shift) == (before.scale, before.shift)


@pytest.mark.parametrize(("task", "lungs"), [(MRI, False), (PET, False), (CT, True)])
def test_lungs_are_left_out_where_images_show_none(task, lungs: bool) -> None:
    fitted = fit_recipe(packaged("compact-256"), task)
    assert isinstance(fitted.network, CascadeConfig)
    assert fitted.network.lung_head is lungs
    assert bool(fitted.loss.lung) is lungs


@pytest.mark.parametrize(
    ("task", "window", "span"),
    [
        (MRI, (0.0, 1.0), (0.0, 1.0)),
        (CT, (0.0, 5.0), (0.0, 5.0)),
        # In shares of the range that the network gives as 0 to 1, and not in HU.
        (PET, (-1000.0, 1000.0), (0.0, 1.0)),
    ],
)
def test_the_window_and_the_span_of_a_denoiser_are_the_tasks(task, window, span) -> None:
    fitted = fit_recipe(packaged("flow-64"), task)
    assert fitted.window == window
    assert isinstance(fitted.network, FlowConfig)
    assert fitted.network.span == span


def test_only_the_recipes_own_task_has_inputs_that_residuals_are_of() -> None:
    recipe = packaged("restoration-flow-64")
    assert isinstance(recipe.network, FlowConfig)
    assert recipe.network.residual > 0
    assert fit_recipe(recipe, recipe.task_record, 128).network == recipe.network
    assert fit_recipe(recipe, MRI).network == replace(recipe.network, residual=0.0)


def test_a_residual_of_a_cascade_is_kept_for_its_own_task_alone() -> None:
    recipe = fit_recipe(packaged("unet-l1"), MRI, 64)
    residual = with_residual(recipe)
    assert fit_recipe(residual, MRI, 128).network == residual.network
    assert fit_recipe(residual, task_named("mri-motion")).network == recipe.network


@pytest.mark.parametrize("task", task_names())
@pytest.mark.parametrize("name", ["compact-256", "coarse-128", "unet-l1", "pix2pix", "flow-64"])
def test_an_input_of_another_quantity_is_nothing_to_start_from(name: str, task: str) -> None:
    fitted = fit_recipe(packaged(name), task_named(task), 64)
    if task in {"dark-field-radiography", "pet-ct"}:
        words = rf"residual = 0\.25 adds .* to the input, but the task {task} does not say that"
        with pytest.raises(UsageError, match=words):
            with_residual(fitted)
    else:
        assert recipe_entries(with_residual(fitted))["network"]["residual"] == 0.25


def test_recipes_of_whole_images_are_written_as_before() -> None:
    recipe = fit_recipe(packaged("unet-l1"), MRI, 64)
    assert "residual" not in recipe_entries(recipe)["network"]
    assert recipe_entries(with_residual(recipe))["network"]["residual"] == 0.25


def test_patches_as_large_as_the_grid_are_whole_images() -> None:
    assert packaged("streak-unet").augmentation.crop == 128
    assert fit_recipe(packaged("streak-unet"), CT, 160).augmentation.crop == 128
    assert fit_recipe(packaged("streak-unet"), CT, 128).augmentation.crop is None


def test_a_fitted_value_is_no_longer_the_papers() -> None:
    recipe = packaged("pan")
    assert recipe.provenance["size"] == "paper: 256"
    fitted = fit_recipe(recipe, MRI, 128)
    assert fitted.provenance["size"].startswith("assumed: fitted to mri-undersampled")
    assert fitted.provenance["loss.margin"] == recipe.provenance["loss.margin"]


def test_each_change_is_said_with_what_was_there() -> None:
    recipe = packaged("pix2pix")
    assert describe_fit(recipe, fit_recipe(recipe, MRI, 128)) == (
        "size = 128 (was 256)",
        "task = mri-undersampled (was dark-field-radiography)",
        "window = (0.0, 1.0) (was (0.0, 0.6))",
        "network.lung_head = False (was True)",
        "augmentation.contrast = 0.0 (was 0.2)",
        "augmentation.gamma = 0.0 (was 0.3)",
        "augmentation.noise = 0.0 (was 0.02)",
        "loss.lung = 0.0 (was 0.3)",
    )


@pytest.mark.parametrize("name", ["restoration-64", "restoration-mean-64"])
def test_a_residual_that_is_taken_away_is_said_as_well(name: str) -> None:
    why = "paper: a quarter"
    recipe = replace(packaged(name), provenance={"network.residual": why})
    fitted = fit_recipe(recipe, task_named("mri-motion"))
    assert describe_fit(recipe, fitted) == (
        "task = mri-motion (was restoration)",
        "network.residual = 0.0 (was 0.25)",
    )
    assert fitted.provenance["network.residual"].startswith("assumed: fitted to mri-motion")


def test_a_size_out_of_range_is_refused() -> None:
    with pytest.raises(UsageError, match=r"size = 0: expected 16 to"):
        fit_recipe(packaged("pix2pix"), MRI, 0)


def test_a_fitted_recipe_can_be_estimated() -> None:
    assert estimate_training(prepared(fit_recipe(packaged("pix2pix"), PET, 64))).tflop > 0
