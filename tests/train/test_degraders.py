"""Training on two unpaired collections, and degraders that come of it."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pair_files import write_radiograph
from support_training import prepared, toy_recipe
from torch import Tensor

import dfsynth
from dfsynth.checkpoint import DiffusionConfig, MunitConfig, read_checkpoint
from dfsynth.datasets import PairBatch
from dfsynth.errors import UsageError
from dfsynth.inference import load_degrader
from dfsynth.options import TrainOptions
from dfsynth.progress import SilentTraining
from dfsynth.train import estimate_training, run_training
from dfsynth.train.domain_scores import DomainScores, compare_domains, radial_spectrum
from dfsynth.train.munit_objective import MunitObjective
from dfsynth.train.processes import Processes
from dfsynth.train.recipe import LossWeights, Optimiser, Phase, Recipe, ValidationSettings
from dfsynth.train.trainer import Trainer

CPU = torch.device("cpu")
SIDE = 16
MUNIT = MunitConfig(width=4, halvings=1, blocks=1, style=3)
DIFFUSION = DiffusionConfig((8, 16), steps=20, conditional=False, degrade_level=100)


def recipe_of(network: MunitConfig | DiffusionConfig, **changes: Any) -> Recipe:
    values: dict[str, Any] = {
        "network": network,
        "loss": LossWeights(),
        "unpaired": True,
        "phase": (Phase("all", (1,), 5e-3, steps=60),),
        "validation": ValidationSettings(score="domain"),
        "optimiser": Optimiser(ema_decay=0.9, betas=(0.5, 0.999)),
    }
    return toy_recipe(**(values | changes))


def make_trainer(recipe: Recipe) -> Trainer:
    return Trainer(recipe, CPU, "fp32", Processes(), 20)


def shapes(seed: int, count: int = 4, side: int = SIDE) -> Tensor:
    """Bright discs with noise on a dark ground: sharp."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    made = np.full((count, 1, side, side), 0.2, np.float32)
    for image in made[:, 0]:
        for _ in range(4):
            cy, cx, radius = *rng.uniform(0.1, 0.9, 2), rng.uniform(0.1, 0.25)
            image[(y - cy) ** 2 + (x - cx) ** 2 < radius**2] = rng.uniform(0.5, 0.9)
    noisy = made + 0.05 * rng.standard_normal(made.shape)
    return torch.from_numpy(noisy.clip(0, 1).astype(np.float32))


def blurred(images: Tensor) -> Tensor:
    for _ in range(3):
        images = F.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    return images


def unpaired(seed: int, count: int = 4) -> PairBatch:
    poor = blurred(shapes(1000 + seed, count))
    return PairBatch(shapes(seed, count), poor, clean=poor)


def fine_power(images: Tensor) -> float:
    """Of the upper half of the frequencies."""
    return float(radial_spectrum(images)[SIDE // 4 :].mean())


def test_munit_takes_fine_structure_away_and_keeps_the_content() -> None:
    trainer, held_out = make_trainer(recipe_of(MUNIT)), unpaired(500, 8)
    losses = []
    for step in range(60):
        report = trainer.train_step(unpaired(step), trainer.step_rng())
        assert report.finite
        losses.append(report.terms)
    assert set(losses[0]) == {"image", "content", "style", "cycle", "adversarial"}
    for name in ("image", "cycle"):
        late, early = (np.mean([t[name] for t in part]) for part in (losses[-6:], losses[:3]))
        assert late < 0.6 * early, name
    [made] = trainer.predict(held_out.image)
    far = fine_power(held_out.image) - fine_power(held_out.target)
    assert abs(fine_power(made.mean) - fine_power(held_out.target)) < 0.5 * far
    found = trainer.validate([held_out])
    assert isinstance(found, DomainScores)
    assert found.spectrum < found.spectrum_before
    assert found.content > 0.7
    assert found.domain == pytest.approx(found.spectrum + found.gradients + 3 * (1 - found.content))
    assert trainer.validate([held_out]) == found


def test_munit_compares_what_the_paper_does_with_its_weights() -> None:
    trainer, batch = make_trainer(recipe_of(MUNIT)), unpaired(0)
    made = trainer.objective.run(trainer.network, batch, trainer.step_rng(), [0])

    def apart(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> float:
        return sum(float((f - w).detach().abs().mean()) for f, w in zip(found, wanted, strict=True))

    both = (batch.image, batch.target)
    expected = {
        "image": 10 * apart((made.good_again, made.poor_again), both),
        "content": apart(made.contents_again, made.contents),
        "style": apart(made.styles_again, made.styles),
        "cycle": 10 * apart((made.good_cycle, made.poor_cycle), both),
    }
    assert min(expected.values()) > 0
    terms = {k: float(v.detach()) for k, v in trainer.objective.terms(made, batch, [0]).items()}
    assert terms.pop("adversarial") > 0
    assert terms == pytest.approx(expected, rel=1e-5)


def test_a_spectrum_of_noise_is_its_variance_and_that_of_rounding() -> None:
    noise = 0.05 * torch.randn(256, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    expected = torch.full((16,), 0.05**2 + 1 / 255**2 / 12, dtype=torch.float64)
    torch.testing.assert_close(radial_spectrum(noise), expected, rtol=0.08, atol=0)


def test_diffusion_of_one_collection_learns_and_keeps_the_content() -> None:
    trainer, held_out = make_trainer(recipe_of(DIFFUSION)), unpaired(500, 8)
    first = trainer.validate([held_out])
    losses = [trainer.train_step(unpaired(s), trainer.step_rng()).terms for s in range(60)]
    late, early = (np.mean([t["velocity"] for t in part]) for part in (losses[-8:], losses[:3]))
    assert late < 0.6 * early
    found = trainer.validate([held_out])
    assert isinstance(found, DomainScores)
    assert isinstance(first, DomainScores)
    assert found.domain < 0.9 * first.domain
    assert found.content > 0.8


def test_diffusion_of_one_collection_looks_at_no_other() -> None:
    trainer = make_trainer(recipe_of(DIFFUSION))
    batch = unpaired(0)
    outputs = [
        trainer.objective.run(trainer.network, each, np.random.default_rng(0), [0])
        for each in (batch, replace(batch, image=shapes(7)))
    ]
    assert torch.equal(outputs[0].predicted, outputs[1].predicted)


@pytest.mark.parametrize("network", [MUNIT, DIFFUSION])
def test_a_restored_trainer_goes_on_to_the_same_weights(
    network: MunitConfig | DiffusionConfig,
) -> None:
    steady = make_trainer(recipe_of(network))
    for seed in range(2):
        steady.train_step(unpaired(seed), steady.step_rng())
    restored = make_trainer(recipe_of(network))
    restored.restore(steady.state())
    for trainer in (steady, restored):
        assert trainer.train_step(unpaired(2), trainer.step_rng()).finite
    one, other = steady.state(), restored.state()
    assert one.keys() == other.keys()
    assert all(torch.equal(one[k], other[k]) for k in one)


def test_a_step_that_is_tried_leaves_nothing_behind() -> None:
    trainer = make_trainer(recipe_of(MUNIT))
    before = trainer.state()
    trainer.try_step(unpaired(0), trainer.step_rng())
    after = trainer.state()
    assert all(torch.equal(before[k], after[k]) for k in before)
    modules = (trainer.network, trainer.objective.discriminators)
    assert all(p.grad is None for module in modules for p in module.parameters())


def test_processes_take_their_parts_of_one_draw() -> None:
    recipe, batch = recipe_of(MUNIT), unpaired(0)
    trainer = make_trainer(recipe)
    whole = trainer.objective.run(trainer.network, batch, np.random.default_rng(3), [0])
    for rank in range(2):
        objective = MunitObjective(recipe, trainer.network, CPU, Processes(rank, 2))
        part = slice(2 * rank, 2 * rank + 2)
        half = PairBatch(batch.image[part], batch.target[part], first=2 * rank)
        found = objective.run(trainer.network, half, np.random.default_rng(3), [0])
        torch.testing.assert_close(found.styles[1], whole.styles[1][part])
        torch.testing.assert_close(found.poor_made, whole.poor_made[part])


@pytest.mark.parametrize("network", [MUNIT, DIFFUSION])
def test_what_a_training_needs_is_estimated(network: MunitConfig | DiffusionConfig) -> None:
    found = estimate_training(prepared(recipe_of(network)))
    assert (found.discriminator_parameters > 0) == isinstance(network, MunitConfig)
    assert min(*found.parameters_a_stage, found.activations_bytes, found.tflop) > 0


def test_images_of_the_domain_itself_score_best() -> None:
    good, poor = shapes(0, 16, 32), blurred(shapes(1, 16, 32))
    exact, none, other = (
        compare_domains(good, poor, made)
        for made in (blurred(good), good, blurred(shapes(2, 16, 32)))
    )
    assert exact.domain < min(none.domain, other.domain)
    assert none.content == pytest.approx(1)
    assert none.spectrum == none.spectrum_before
    assert other.content < 0.5 < exact.content


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"unpaired": False}, "'munit' as it stands is a degrader: expected unpaired = true"),
        ({"network": DiffusionConfig((8, 16))}, "'diffusion' as it stands is none: .* = false"),
        ({"validation": ValidationSettings()}, r"score = 'nll', but unpaired = true: expected 'do"),
        ({"loss": LossWeights(adversarial=0.5)}, r"leave \[loss\] out"),
    ],
)
def test_a_recipe_says_that_its_collections_are_no_pairs(changes: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        recipe_of(**({"network": MUNIT} | changes))


def test_a_recipe_of_pairs_has_no_score_of_domains() -> None:
    with pytest.raises(UsageError, match="unpaired = false: expected 'nll', 'mae' or 'mse'"):
        toy_recipe(validation=ValidationSettings(score="domain"))


RECIPE = """
name = "toy-{name}"
unpaired = true
size = 16
batch = 4
checkpoint_every = 3
[network]
{network}
[augmentation]
contrast = 0.0
[optimiser]
ema_decay = 0.9
[validation]
every_steps = 3
most_pairs = 2
panel_pairs = 1
score = "domain"
[[phase]]
name = "all"
stages = [1]
steps = {steps}
learning_rate = 1e-3
"""
NETWORKS = {
    "munit": 'name = "munit"\nwidth = 4\nblocks = 1',
    "ddpm-lq": 'name = "diffusion"\nconditional = false\nwidths = [8, 16]\nsteps = 20',
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("collections")
    for number in range(9):
        write_radiograph(root / "good" / f"{number}.png", number)
    for number in range(6):
        write_radiograph(root / "poor" / f"drr{number}.png", 50 + number, 16, 30)
    return root / "good", root / "poor"


def train(name: str, folders: tuple[Path, Path], folder: Path, out: str = "run") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(RECIPE.format(name=name, network=NETWORKS[name], steps=4))
    options = TrainOptions(str(path), folders[0], folder / out, folders[1], precision="fp32")
    run_training(options, SilentTraining())
    return folder / out


@pytest.mark.parametrize("name", NETWORKS)
def test_a_run_makes_a_degrader_and_nothing_else(
    name: str, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    run = train(name, folders, tmp_path)
    files = read_checkpoint(run / "best")
    assert "degrader" in files.card.limits
    assert "simulate --task restoration" in files.card.intended_use
    assert not files.card.calibration
    assert files.card.recipe["unpaired"] is True
    assert files.card.training_data[0]["name"].startswith("unpaired: images of the user beside")
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert "val_domain" in lines[3]
    assert list((run / "panels").glob("*.png"))
    with pytest.raises(UsageError, match="is a degrader"):
        dfsynth.build(folders[0], tmp_path / "x.zarr", checkpoint=str(run / "best"))
    assert not (tmp_path / "x.zarr").exists()
    with pytest.raises(UsageError, match="is a degrader"):
        dfsynth.evaluate_checkpoint(run / "best", folders[0], targets=folders[1])
    with pytest.raises(UsageError, match="is a degrader"):
        dfsynth.join_members([run / "best"] * 2, tmp_path / "joined")


@pytest.mark.parametrize("name", NETWORKS)
def test_a_partner_depends_on_the_image_and_the_draw_alone(
    name: str, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    best = train(name, folders, tmp_path) / "best"
    degrader = load_degrader(str(best))
    image = shapes(0, 1, 21)[0, 0].numpy()
    kept = image.copy()
    one, again, other = (degrader.degrade(image, np.random.default_rng(s)) for s in (0, 0, 1))
    assert one.shape == image.shape
    assert one.dtype == np.float32
    assert 0 <= one.min() < one.max() <= 1
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert np.array_equal(image, kept)
    assert degrader.name == f"toy-{name}"
    assert degrader.fingerprint() == read_checkpoint(best).sha256
    assert degrader.drawn(np.random.default_rng(0)) == {}
    assert np.array_equal(one, load_degrader(str(best)).degrade(image, np.random.default_rng(0)))


def test_a_generator_degrades_nothing() -> None:
    with pytest.raises(UsageError, match="is a generator and degrades nothing"):
        load_degrader("default")


def test_a_missing_library_is_one_line(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    best = train("ddpm-lq", folders, tmp_path) / "best"
    monkeypatch.setitem(sys.modules, "einops", None)
    with pytest.raises(UsageError, match=r"einops, .*dfsynth\[diffusion\]"):
        load_degrader(str(best))
    with pytest.raises(UsageError, match=r"einops, .*dfsynth\[diffusion\]"):
        train("ddpm-lq", folders, tmp_path, "other")
    assert not (tmp_path / "other").exists()


def test_collections_too_small_to_validate_are_refused(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    write_radiograph(tmp_path / "poor" / "one.png", 1)
    with pytest.raises(UsageError, match="has no image in the group"):
        train("munit", (folders[0], tmp_path / "poor"), tmp_path)
