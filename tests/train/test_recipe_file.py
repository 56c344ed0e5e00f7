"""Recipes: what is packaged parses, and a mistake is named before any time is spent."""

from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest
from support_training import prepared, write_recipe

from dfsynth.checkpoint import CascadeConfig
from dfsynth.errors import UsageError
from dfsynth.resources import data_folder
from dfsynth.train import Recipe, estimate_training, read_recipe, recipe_path
from dfsynth.train.recipe import Phase, steps_an_epoch
from dfsynth.train.recipe_file import packaged_recipes

RECIPES = packaged_recipes()
PROMISED = {
    "tiny-cpu",
    "coarse-128",
    "coarse-256",
    "compact-256",
    "compact-512",
    "ddpm-lq-64",
    "ddpm-lq-128",
    "diffusion-64",
    "flow-64",
    "fine-tune-256",
    "restoration-64",
    "restoration-128",
    "restoration-256",
    "restoration-flow-64",
    "restoration-flow-128",
    "restoration-mean-64",
    "restorer-128",
    "translation",
    "mixture-128",
    "mixture-256",
    "published",
    "pix2pix",
    "unet-l1",
    "pan",
    "medgan",
    "munit-64",
    "munit-128",
    "heteroscedastic-unet",
    "quantile-unet",
    "streak-unet",
    "streak-unet-compact",
    "streak-table",
    "streaks-ct",
    "amplify-spatial",
    "amplify-frequency",
    "amplify-spatial-frequency",
    "amplify-frequency-spatial",
    "amplify-absolute-frequency",
    "amplify-residual-frequency",
}


def test_the_promised_recipes_are_packaged() -> None:
    assert set(RECIPES) == PROMISED


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_packaged_recipes_parse(name: str) -> None:
    assert read_recipe(recipe_path(name)).name == name


def estimated(name: str) -> object:
    """A recipe to estimate; one of each kind of network and phases is enough for every day."""
    kinds = {"tiny-cpu", "coarse-256", "compact-256", "pix2pix", "published"}
    return pytest.param(name, marks=[] if name in kinds else pytest.mark.slow)


@pytest.mark.parametrize("name", [estimated(name) for name in sorted(RECIPES)])
def test_packaged_recipes_can_be_estimated(name: str) -> None:
    recipe = read_recipe(recipe_path(name))
    found = estimate_training(prepared(recipe))
    assert len(found.parameters_a_stage) == recipe.network.stages
    assert min(found.weights_bytes, found.activations_bytes, found.steps) > 0
    assert found.tflop > 0
    if name == "published":
        assert found.parameters_a_stage[0] == pytest.approx(33.0e6, rel=0.01)


def test_the_published_recipe_says_of_each_value_where_it_stands() -> None:
    recipe = read_recipe(recipe_path("published"))
    tagged = {key: text.partition(":")[0] for key, text in recipe.provenance.items()}
    assert set(tagged.values()) == {"paper", "assumed"}
    optional = {
        "validation.patience",
        "phase.steps",
        "phase.name",
        "name",
        "task",
        "own_task",
        "unpaired",
    }
    optional |= {"provenance"}
    # What needs no word of its own: how an amplification that is none would be shaped, how often a
    # step schedule that is none would step, what only networks without a likelihood choose, and
    # that images are not added to what is computed.
    unused = {"spatial_profile", "frequency_profile", "strength"}
    silent = {f"loss.amplification.{name}" for name in unused} | {
        "optimiser.schedule_epochs",
        "optimiser.schedule_gamma",
        "network.residual",
        "loss.misfit",
        "loss.perceptual",
        "loss.margin",
        "loss.style",
        "loss.beta_nll",
        "loss.absolute",
        "loss.fidelity_end",
        "loss.discriminator",
        "loss.discriminator_every",
        "validation.score",
    }
    assert leaves(Recipe, "") - optional - silent == set(tagged)


def leaves(record: type, where: str) -> set[str]:
    """Dotted names of all values of a recipe."""
    found = set()
    for field in fields(record):
        name = f"{where}{field.name}"
        kind = {"phase": Phase}.get(field.name, field.default_factory)
        if isinstance(kind, type) and is_dataclass(kind):
            found |= leaves(kind, f"{name}.")
        else:
            found.add(name)
    return found


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("sizes = 64", "'size'"),
        ("[loss]\nresidul = 1.0", "'loss.residual'"),
        ("[loss.amplification]\nkynd = 'none'", "'loss.amplification.kind'"),
        ("[network]\nwidth = [16, 32]", "'network.widths'"),
        ("[network]\nguidance = 'atention'", "attention, concat, none"),
        ("[network]\ndropout = '0.1'", "a number"),
        ("[network]\nwidths = [16.5]", "a whole number"),
        ("[optimiser]\nbetas = [0.9]", "2 values"),
        ("[augmentation]\nscale = [1.2, 0.8]", "scale"),
        ("[network]\nstages = 0", "stages"),
        ("[loss]\nresidual_box = 4", "odd"),
        ("[loss]\nmisfit = 'l3'", "one of l1, l2"),
        ("[loss]\nfidelity = 0", "perceptual weights"),
        ("[loss]\nfidelity = 0\nperceptual = [1]", "likelihood = 'point', found 'gennorm'"),
        ("[loss]\nperceptual = [1, 1, 1, 1]", "at most 3 weights"),
        ("[loss]\nperceptual = [0, 0]", "not 0 alone"),
        ("[loss]\nperceptual = [-1, 2]", "0 or more"),
        ("[loss]\nmargin = 1.0", "expected weights too"),
        ("[loss]\nstyle = 1.0\nadversarial = 0", "adversarial above 0"),
        ("[loss]\nstyle = -1.0", "style = -1.0"),
        ("[loss]\nbeta_nll = 1.5", "expected 0 to 1"),
        (
            '[loss]\nbeta_nll = 0.5\n[network]\nlikelihood = "point"',
            "trains its mean by its misfit",
        ),
        ('[loss]\nbeta_nll = 0.5\n[loss.amplification]\nkind = "spatial"', "expected one"),
        ("[loss]\nabsolute = -1.0", "absolute = -1.0"),
        ('[loss]\nabsolute = 1.0\n[network]\nlikelihood = "quantile"', "as its misfit"),
        ('[loss]\nabsolute = 1.0\n[loss.amplification]\nkind = "spatial"', "expected one"),
        ("[loss]\nfidelity_end = 0.0", "expected both above 0"),
        ("[loss]\nfidelity_end = -1.0", "fidelity_end = -1"),
        ("[loss]\ndiscriminator = []", "channels of 1 or more"),
        ("[loss]\ndiscriminator_every = 0", "discriminator_every = 0"),
        ("[loss]\nmisfit = 'l2'", "'point' or 'quantile', found 'gennorm'"),
        ("[network]\nbackbone = 'residual'", "residual-unet"),
        ("[validation]\nscore = 'psnr'", "nll, mae, mse"),
        ("task = 'dark-field-ct'", "contrast = 0.2"),
        ("task = 'dark-field-ct'\n[augmentation]\ncontrast = 0\nshifts = 0.1", "shifts = 0.1"),
        ("batch = true", "a whole number"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, line: str, named: str) -> None:
    path = write_recipe(tmp_path, line)
    with pytest.raises(UsageError) as error:
        read_recipe(path)
    assert named in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_phases_must_fit_the_network(tmp_path: Path) -> None:
    text = "[[phase]]\nname = 'x'\nstages = [4]\nsteps = 3\nlearning_rate = 1e-3"
    with pytest.raises(UsageError, match="stages 1 to"):
        read_recipe(write_recipe(tmp_path, text))
    both = "[[phase]]\nname = 'x'\nstages = [1]\nsteps = 3\nepochs = 1\nlearning_rate = 1e-3"
    with pytest.raises(UsageError, match="either steps or epochs"):
        read_recipe(write_recipe(tmp_path, both))


def test_what_is_no_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="compact-256"):
        recipe_path("compact")
    with pytest.raises(UsageError, match="packaged names"):
        recipe_path("lung-reader")
    broken = tmp_path / "broken.toml"
    broken.write_text("size = ")
    with pytest.raises(UsageError, match="no TOML"):
        read_recipe(broken)


def test_an_epoch_is_a_pass_over_the_pairs() -> None:
    assert steps_an_epoch(100, 8) == 12
    assert steps_an_epoch(3, 8) == 1
    assert Phase("x", (1,), 1e-3, epochs=5).total_steps(12) == 60


def test_other_packaged_files_are_left_to_their_scripts() -> None:
    others = {p.stem for p in data_folder("recipes").glob("*.toml")} - set(RECIPES)
    assert others == {"mixture", "lung-reader"}


def test_the_streak_recipes_are_one_but_for_their_size() -> None:
    full, compact = (read_recipe(recipe_path(n)) for n in ("streak-unet", "streak-unet-compact"))
    assert isinstance(full.network, CascadeConfig)
    assert isinstance(compact.network, CascadeConfig)
    assert full.network.widths == (64, 128, 256, 512, 1024)
    assert (
        replace(
            compact,
            name=full.name,
            size=full.size,
            network=replace(compact.network, widths=full.network.widths),
            provenance=full.provenance,
        )
        == full
    )
    assert not full.augmentation.changes_appearance
    assert {text.partition(":")[0] for text in full.provenance.values()} == {"paper", "assumed"}
