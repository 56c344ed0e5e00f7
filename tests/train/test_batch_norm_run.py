"""A whole run of a network with batch norm: killed and gone on with, kept, and generated from."""

from pathlib import Path

import numpy as np
import pytest
import torch
from pair_files import write_pair_folders
from safetensors.torch import load_file
from support_training import toy_batch, write_recipe

from dfsynth.checkpoint import read_checkpoint
from dfsynth.datasets import PairBatch
from dfsynth.inference import load_map_generator, load_network
from dfsynth.models import CascadeNetwork
from dfsynth.options import TrainOptions
from dfsynth.progress import SilentTraining
from dfsynth.train import TrainReport, run_training
from dfsynth.train.trainer import StepReport, Trainer
from dfsynth.train.validation import predict_without_dropout

LINES = (
    "checkpoint_every = 3",
    "[network]",
    "backbone = 'residual-unet'",
    "stages = 1",
    "widths = [4, 8]",
    "dropout = 0.0",
    "lung_head = false",
    "likelihood = 'point'",
    "[augmentation]",
    "crop = 8",
    "contrast = 0.0",
    "[loss]",
    "misfit = 'l2'",
    "adversarial = 0.0",
    "residual = 0.0",
    "lung = 0.0",
    "[loss.amplification]",
    "kind = 'frequency_spatial'",
    "[validation]",
    "score = 'mse'",
    "every_steps = 4",
    "most_pairs = 4",
    "panel_pairs = 1",
    "[[phase]]",
    "name = 'only'",
    "stages = [1]",
    "steps = 10",
    "learning_rate = 1e-3",
)


class KilledError(Exception):
    """Stands for the end of a process."""


def run(folder: Path, out: Path) -> TrainReport:
    radiographs, targets = write_pair_folders(folder / "pairs", 16)
    recipe = write_recipe(folder, *LINES)
    options = TrainOptions(str(recipe), radiographs, out, targets=targets, precision="fp32")
    return run_training(options, SilentTraining())


def test_a_killed_run_goes_on_to_the_same_statistics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steady, killed = tmp_path / "steady", tmp_path / "killed"
    report = run(tmp_path, steady)
    with monkeypatch.context() as patch:
        step = Trainer.train_step

        def fail(trainer: Trainer, batch: PairBatch, rng: np.random.Generator) -> StepReport:
            if trainer.steps_taken == 5:
                raise KilledError
            return step(trainer, batch, rng)

        patch.setattr(Trainer, "train_step", fail)
        with pytest.raises(KilledError):
            run(tmp_path, killed)
    resumed = run(tmp_path, killed)
    # Step 4 was validated and its state not kept: what evaluation leaves must not be seen.
    assert resumed.steps_now == 7
    assert resumed.best_score == report.best_score
    one, other = (load_file(next((out / "last").glob("*.safetensors"))) for out in (steady, killed))
    assert any("running_var" in name for name in one)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)

    files = read_checkpoint(steady / "best")
    assert files.card.metrics["validation"]["mse"] == report.best_score
    network = load_network(files)
    assert isinstance(network, CascadeNetwork)
    image = toy_batch(1).image
    expected = predict_without_dropout(network, image)[-1].mean
    generate = load_map_generator(files, torch.device("cpu"), "fp32", mc_samples=20)
    found = generate(image[:, 0].numpy())
    np.testing.assert_allclose(found.mean, expected[:, 0].detach().numpy(), rtol=0, atol=1e-5)
    assert not found.epistemic.any()
