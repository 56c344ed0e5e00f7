"""Diffusion and flow matching in the trainer, and whole runs whose checkpoints are used."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pair_files import write_pair_folders
from support_training import prepared, toy_batch, toy_recipe
from torch import Tensor

import dfsynth
from dfsynth.checkpoint import (
    CascadeConfig,
    DenoiserConfig,
    DenoiserMembersConfig,
    DiffusionConfig,
    FlowConfig,
    checkpoint_path,
    read_checkpoint,
)
from dfsynth.errors import UsageError
from dfsynth.models import NO_INPUT, Denoiser
from dfsynth.options import TrainOptions
from dfsynth.progress import SilentTraining
from dfsynth.tasks import DEFAULT_TASK
from dfsynth.train import estimate_training, read_recipe, run_training
from dfsynth.train.denoising_objective import DenoisingObjective
from dfsynth.train.initial_checkpoint import read_initial_checkpoint
from dfsynth.train.processes import Processes
from dfsynth.train.recipe import LossWeights, Phase, Recipe, recipe_entries
from dfsynth.train.trainer import Trainer

CPU = torch.device("cpu")
NETWORKS = (
    DiffusionConfig((8, 16), span=(0.0, 0.5), steps=5),
    FlowConfig((8, 16), span=(0.0, 0.5), steps=2),
    FlowConfig((8, 16), span=(0.0, 0.5), steps=2, residual=0.5),
)


def recipe_of(network: DenoiserConfig, **changes: Any) -> Recipe:
    assert isinstance(network, DiffusionConfig | FlowConfig)
    values: dict[str, Any] = {
        # Of radiographs as dark-field is, and its inputs are there to be added to.
        "task": "restoration" if network.residual else DEFAULT_TASK,
        "network": network,
        "loss": LossWeights(),
        "phase": (Phase("all", (1,), 1e-2, steps=40),),
    }
    return toy_recipe(**(values | changes))


def make_trainer(recipe: Recipe, processes: Processes | None = None) -> Trainer:
    return Trainer(recipe, CPU, "fp32", processes or Processes(), 20)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_loss_falls_and_samples_come_near_the_target(network: DenoiserConfig) -> None:
    trainer, batch = make_trainer(recipe_of(network)), toy_batch(0)

    def error() -> float:
        [found] = trainer.predict(batch.image)
        assert found.lung_logit is None
        assert found.mean.shape == found.sigma.shape == batch.target.shape
        assert (found.sigma > 0).all()
        return float((found.mean - batch.target).abs().mean())

    before = error()
    losses = [trainer.train_step(batch, trainer.step_rng()).terms["velocity"] for _ in range(40)]
    assert np.mean(losses[-8:]) < 0.6 * np.mean(losses[:2])
    assert error() < 0.5 * before
    assert error() == error()


@pytest.mark.parametrize("network", NETWORKS)
def test_a_restored_trainer_goes_on_to_the_same_weights(network: DenoiserConfig) -> None:
    steady = make_trainer(recipe_of(network))
    for seed in range(2):
        steady.train_step(toy_batch(seed), steady.step_rng())
    restored = make_trainer(recipe_of(network))
    restored.restore(steady.state())
    for trainer in (steady, restored):
        assert trainer.train_step(toy_batch(2), trainer.step_rng()).finite
    one, other = steady.state(), restored.state()
    assert one.keys() == other.keys()
    assert all(torch.equal(one[k], other[k]) for k in one)


def test_a_step_that_is_tried_leaves_nothing_behind() -> None:
    trainer = make_trainer(recipe_of(NETWORKS[1]))
    before = trainer.state()
    trainer.try_step(toy_batch(0), trainer.step_rng())
    after = trainer.state()
    assert all(torch.equal(before[k], after[k]) for k in before)
    assert all(p.grad is None for p in trainer.network.parameters())


@pytest.mark.parametrize("network", NETWORKS)
def test_processes_take_their_parts_of_one_draw(network: DenoiserConfig) -> None:
    recipe, batch = recipe_of(network), toy_batch(0)
    trainer = make_trainer(recipe)
    assert isinstance(trainer.network, Denoiser)
    whole = trainer.objective.run(trainer.network, batch, np.random.default_rng(3), [0])
    for rank in range(2):
        objective = DenoisingObjective(recipe, trainer.network, CPU, Processes(rank, 2))
        part = slice(2 * rank, 2 * rank + 2)
        half = replace(batch, image=batch.image[part], target=batch.target[part], first=2 * rank)
        found = objective.run(trainer.network, half, np.random.default_rng(3), [0])
        torch.testing.assert_close(found.wanted, whole.wanted[part])


def test_some_inputs_are_taken_away_and_all_else_is_drawn_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch = toy_batch(0)
    seen: dict[float, list[Tensor]] = {}
    for share in (0.0, 0.5):
        network = replace(NETWORKS[1], drop_condition=share)
        trainer = make_trainer(recipe_of(network))
        shown: list[Tensor] = []

        def forward(_: Denoiser, noisy: Tensor, image: Tensor, times: Tensor) -> Tensor:
            shown.extend((noisy, image, times))  # noqa: B023
            return noisy

        monkeypatch.setattr(Denoiser, "forward", forward)
        for seed in range(50):
            trainer.objective.run(trainer.network, batch, np.random.default_rng(seed), [0])
        seen[share] = shown
    for before, now in zip(seen[0.0][0::3], seen[0.5][0::3], strict=True):
        assert torch.equal(before, now)
    assert all(torch.equal(image, batch.image) for image in seen[0.0][1::3])
    images = torch.stack(seen[0.5][1::3])
    without = (images == NO_INPUT).flatten(2).all(dim=2)
    assert float(without.float().mean()) == pytest.approx(0.5, abs=0.15)
    kept = (images == batch.image).flatten(2).all(dim=2)
    assert torch.equal(kept, ~without)


def test_a_network_learns_what_there_is_without_an_input() -> None:
    network = replace(NETWORKS[1], drop_condition=0.3)
    trainer, batch = make_trainer(recipe_of(network)), toy_batch(0)
    losses = [trainer.train_step(batch, trainer.step_rng()).terms["velocity"] for _ in range(40)]
    assert np.mean(losses[-8:]) < 0.7 * np.mean(losses[:2])


def test_validation_may_add_noise_on_the_way() -> None:
    trainer = make_trainer(recipe_of(replace(NETWORKS[0], sampler="ancestral")))
    first, again = (trainer.predict(toy_batch(0).image)[0].mean for _ in range(2))
    assert torch.equal(first, again)


def test_padding_counts_for_nothing() -> None:
    trainer, batch = make_trainer(recipe_of(NETWORKS[1])), toy_batch(0)
    content = torch.ones_like(batch.image)
    content[..., 8:] = 0
    outputs = trainer.objective.run(trainer.network, batch, np.random.default_rng(0), [0])
    terms = trainer.objective.terms(outputs, replace(batch, content=content), [0])
    errors = (outputs.predicted - outputs.wanted).square()
    torch.testing.assert_close(terms["velocity"], errors[..., :8].mean())


def test_a_bad_batch_moves_nothing() -> None:
    trainer, batch = make_trainer(recipe_of(NETWORKS[0])), toy_batch(1)
    before = trainer.state()
    batch.target[0, 0, 0, 0] = float("nan")
    assert not trainer.train_step(batch, trainer.step_rng()).finite
    after = trainer.state()
    assert {k for k in before if not torch.equal(before[k], after[k])} == {
        "place.step",
        "place.steps_taken",
        "place.bad_steps",
    }


@pytest.mark.parametrize("network", NETWORKS)
def test_what_a_training_needs_is_estimated(network: DenoiserConfig) -> None:
    found = estimate_training(prepared(recipe_of(network)))
    assert found.discriminator_parameters == 0
    assert found.parameters_a_stage[0] > 10_000
    assert min(found.activations_bytes, found.tflop) > 0


def test_a_loss_of_cascades_is_refused_and_not_kept() -> None:
    with pytest.raises(UsageError, match=r"\[loss\] is of the network 'cascade', .* 'flow'"):
        recipe_of(NETWORKS[1], loss=LossWeights(adversarial=0.0))
    entries = recipe_entries(recipe_of(NETWORKS[1]))
    assert "loss" not in entries
    assert entries["network"].keys() == {"widths", "blocks", "span", "steps", "name"}
    guided = recipe_of(replace(NETWORKS[1], drop_condition=0.1, guidance=1.0))
    assert recipe_entries(guided)["network"]["guidance"] == 1.0
    assert "name" not in recipe_entries(toy_recipe())["network"]


RECIPE = """
name = "toy-{name}"
size = 16
batch = 4
checkpoint_every = 3
[network]
name = "{name}"
widths = [8, 16]
span = [0.0, 0.5]
steps = 2
[optimiser]
ema_decay = 0.9
[validation]
every_steps = 3
most_pairs = 2
panel_pairs = 1
score = "mae"
[[phase]]
name = "all"
stages = [1]
steps = 4
learning_rate = 1e-3
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_pair_folders(tmp_path_factory.mktemp("pairs"), 10)


def train(name: str, folders: tuple[Path, Path], folder: Path, **options: Any) -> Path:
    path, out = folder / f"{name}.toml", folder / "run"
    path.write_text(RECIPE.format(name=name))
    inputs, targets = folders
    run_training(
        TrainOptions(str(path), inputs, out, targets, precision="fp32", **options), SilentTraining()
    )
    return out


@pytest.mark.parametrize("name", ["diffusion", "flow"])
def test_a_run_makes_a_checkpoint_that_builds_evaluates_shows_and_reports(
    name: str, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    best = train(name, folders, tmp_path) / "best"
    card = read_checkpoint(checkpoint_path(str(best))).card
    assert card.network == name
    assert card.recipe["network"]["name"] == name
    assert "which is 0 of one alone" in card.limits
    assert card.calibration
    inputs, targets = folders
    report = dfsynth.build(
        inputs,
        tmp_path / "x.zarr",
        checkpoint=str(best),
        size=16,
        mc_samples=2,
        dtype="float32",
        precision="fp32",
    )
    assert (report.ok, report.failed) == (10, 0)
    store = dfsynth.open_store(tmp_path / "x.zarr")
    assert not store.read("epistemic", 0).any()
    assert store.read("aleatoric", 0).min() > 0
    found = dfsynth.evaluate_checkpoint(
        best, inputs, targets=targets, split="all", mc_samples=2, precision="fp32"
    )
    assert (found.images, len(found.stages)) == (10, 1)
    dfsynth.draw_contact_sheet(tmp_path / "x.zarr", out=tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 0
    dfsynth.write_report(tmp_path / "x.zarr", out=tmp_path / "report")
    assert (tmp_path / "report" / "index.html").is_file()


@pytest.mark.parametrize("library", [None, "monai"])
def test_a_build_that_cannot_be_made_leaves_nothing_behind(
    library: str | None,
    folders: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    best = train("flow", folders, tmp_path) / "best"
    if library is not None:
        monkeypatch.setitem(sys.modules, library, None)
    words = "--mc-samples 1; use" if library is None else rf"{library}, .*dfsynth\[diffusion\]"
    with pytest.raises(UsageError, match=words):
        dfsynth.build(folders[0], tmp_path / "x.zarr", checkpoint=str(best), mc_samples=1)
    assert not (tmp_path / "x.zarr").exists()


def test_members_are_trained_joined_and_built_with(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    members = []
    for member in range(2):
        (tmp_path / str(member)).mkdir()
        members.append(train("flow", folders, tmp_path / str(member), member=member) / "best")
    dfsynth.join_members(members, tmp_path / "joined")
    card = read_checkpoint(tmp_path / "joined").card
    assert card.network == "denoiser-members"
    assert card.arguments == DenoiserMembersConfig(2, replace(NETWORKS[1], steps=2))
    report = dfsynth.build(
        folders[0],
        tmp_path / "x.zarr",
        checkpoint=str(tmp_path / "joined"),
        size=16,
        mc_samples=4,
        precision="fp32",
    )
    assert (report.ok, report.failed) == (10, 0)
    assert dfsynth.open_store(tmp_path / "x.zarr").read("epistemic", 0).any()
    config = card.arguments.network
    initial = [read_initial_checkpoint(str(tmp_path / "joined"), config, m) for m in range(2)]
    weights = [i.weights["unet.conv_in.conv.weight"] for i in initial]
    assert not torch.equal(*weights)


def test_a_warm_start_may_take_other_steps_and_no_other_network(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    best = str(train("flow", folders, tmp_path) / "best")
    config = FlowConfig((8, 16), span=(0.0, 0.5), steps=7)
    assert read_initial_checkpoint(best, config).config == replace(config, steps=2)
    guided = replace(config, drop_condition=0.1, sampler="midpoint", steps=4)
    assert read_initial_checkpoint(best, guided).config == replace(config, steps=2)
    with pytest.raises(UsageError, match=r"span is \[0\.0, 0\.6\] in the recipe and \[0"):
        read_initial_checkpoint(best, replace(config, span=(0.0, 0.6)))
    with pytest.raises(UsageError, match=r"residual is 0\.5 in the recipe and 0"):
        read_initial_checkpoint(best, replace(config, residual=0.5))
    with pytest.raises(UsageError, match="the checkpoint's is no diffusion"):
        read_initial_checkpoint(best, NETWORKS[0])
    (tmp_path / "again").mkdir()
    again = train("flow", folders, tmp_path / "again", start_from=best)
    assert read_checkpoint(again / "best").card.recipe["start"]["name"] == "toy-flow"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "flow"', 'name = "gan"', r"network.name = 'gan': expected one of cascade, diffu"),
        (
            'name = "flow"',
            "name = [1]",
            r"network.name = \[1\]: expected one of cascade, diffusion",
        ),
        ("widths", "width", "unknown key 'network.width'; did you mean 'network.widths'"),
        ("steps = 2\n[opt", "stages = 2\n[opt", "unknown key 'network.stages'"),
        ("[optimiser]", "[loss]\nresidual = 0.0\n[optimiser]", "leave \\[loss\\] out"),
        ("stages = [1]", "stages = [1, 2]", "the network has stages 1 to 1"),
        ("widths = [8, 16]", "widths = [8, 12]", "each a multiple of 8"),
        ("steps = 2\n[opt", 'steps = 2\nsampler = "ddim"\n[opt', "'ddim'|found ddim"),
        ("steps = 2\n[opt", "steps = 2\nguidance = 1\n[opt", "expected no guidance of a network"),
    ],
)
def test_a_mistake_in_the_recipe_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "wrong.toml"
    text = RECIPE.format(name="flow")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    with pytest.raises(UsageError, match=words):
        read_recipe(path)


def test_a_cascade_may_be_named_too(tmp_path: Path) -> None:
    path = tmp_path / "named.toml"
    path.write_text(
        'name = "named"\nsize = 16\nbatch = 4\n[network]\nname = "cascade"\nstages = 1\n'
        '[[phase]]\nname = "all"\nstages = [1]\nsteps = 1\nlearning_rate = 1.0\n'
    )
    named = read_recipe(path)
    assert named.network == CascadeConfig(stages=1)


def test_a_missing_library_is_one_line_before_anything_is_written(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "einops", None)
    with pytest.raises(UsageError, match=r"einops, .* dfsynth\[diffusion\]"):
        train("flow", folders, tmp_path)
    assert not (tmp_path / "run").exists()
