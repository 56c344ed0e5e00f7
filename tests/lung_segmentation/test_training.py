"""Training: what is learned, what is not supervised, and going on after a stop."""

import tomllib

import numpy as np
import pytest
import torch

from dfsynth.lung_segmentation.network import LungSegmentationNetwork
from dfsynth.lung_segmentation.samples import LungSample, simulated_sample
from dfsynth.lung_segmentation.training import LungTrainer, LungTrainingOptions, lung_loss
from dfsynth.models.unet import UNet
from dfsynth.resources import data_folder

SIDE = 32
OPTIONS = LungTrainingOptions((8, 16), steps=6, batch=2, learning_rate=3e-3, seed=5, warm_up=2)
MAPS = ("field", "any_lung", "thickness_mm")


def draw_disc(rng: np.random.Generator) -> LungSample:
    """Lung is dark: its darkness is its thickness."""
    y, x = np.mgrid[:SIDE, :SIDE]
    cy, cx = rng.uniform(10, 22, 2)
    square = 1 - ((y - cy) ** 2 + (x - cx) ** 2) / 49
    dome = np.sqrt(np.maximum(square, 0)).astype(np.float32)
    labels = np.where(dome > 0, np.where(y < cy, 1, 2), 0).astype(np.uint8)
    return simulated_sample(np.asarray(0.9 - 0.8 * dome, np.float32), labels, 100 * dome)


def batch_of(**changes: float) -> dict[str, torch.Tensor]:
    batch = {name: torch.zeros(1, 1, 8, 8) for name in LungSample.__slots__}
    for name, value in changes.items():
        batch[name] = torch.full((1, 1, 8, 8), value)
    return batch


def test_the_loss_falls() -> None:
    losses: list[float] = []
    trainer = LungTrainer(LungTrainingOptions((8, 16), 60, 4, 1e-2, 0, warm_up=5, dropout=0.0))
    trainer.run(draw_disc, 60, lambda _, loss: losses.append(loss))
    assert np.mean(losses[-5:]) < 0.6 * losses[0]
    segmenter = LungSegmentationNetwork(trainer.averaged, SIDE)
    samples = [draw_disc(np.random.default_rng(seed)) for seed in range(8)]
    predictions = [segmenter(sample.image) for sample in samples]
    for name in MAPS:
        found, truth = ([getattr(m, name) for m in maps] for maps in (predictions, samples))
        assert np.corrcoef(np.ravel(found), np.ravel(truth))[0, 1] > 0.6, name


def test_a_stopped_training_goes_on_to_the_same_weights() -> None:
    through, before, after = (LungTrainer(OPTIONS) for _ in range(3))
    through.run(draw_disc, 6, lambda *_: None)
    before.run(draw_disc, 3, lambda *_: None)
    assert before.step == 3
    after.restore(before.state())
    after.run(draw_disc, 6, lambda *_: None)
    whole, resumed = through.state(), after.state()
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_the_average_is_the_network_that_is_used() -> None:
    trainer = LungTrainer(OPTIONS)
    trainer.run(draw_disc, 6, lambda *_: None)
    last, mean = trainer.network.state_dict(), trainer.averaged.state_dict()
    assert any(not torch.equal(last[name], mean[name]) for name in last)
    assert not trainer.averaged.training


@pytest.mark.parametrize(
    ("channel", "name", "unknown"),
    [
        (0, "field", "field_unknown"),
        (1, "any_lung", "any_unknown"),
        (2, "thickness_mm", "thickness_unknown"),
    ],
)
def test_what_is_unknown_supervises_nothing(channel: int, name: str, unknown: str) -> None:
    for known in (True, False):
        output = torch.full((1, 3, 8, 8), 0.3, requires_grad=True)
        batch = batch_of(**{name: 1.0, unknown: 0.0 if known else 1.0})
        lung_loss(output, batch).backward()
        assert output.grad is not None
        assert bool(output.grad[:, channel].any()) == known
        # The other two are known to be nothing, and supervise.
        assert all(output.grad[:, other].any() for other in {0, 1, 2} - {channel})


def test_the_right_answer_costs_almost_nothing_and_the_wrong_one_much() -> None:
    truth = batch_of(field=1.0, any_lung=1.0, thickness_mm=100.0)
    right = torch.tensor([9.0, 9.0, 0.5413]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    wrong = torch.tensor([-9.0, -9.0, -9.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    assert lung_loss(right, truth) < 0.01
    assert lung_loss(wrong, truth) > 10


def test_a_loss_that_is_no_number_stops_the_training() -> None:
    def broken(rng: np.random.Generator) -> LungSample:
        sample = draw_disc(rng)
        sample.thickness_mm[:] = np.nan
        return sample

    with pytest.raises(FloatingPointError, match="at step 0"):
        LungTrainer(OPTIONS).run(broken, 1, lambda *_: None)


def test_the_recipe_fits_the_code() -> None:
    recipe = tomllib.loads((data_folder("recipes") / "lung-reader.toml").read_text())
    network = UNet(1, 3, recipe["widths"])
    assert recipe["grid"] % network.divisor == 0
    assert 0 < recipe["own_after"] < recipe["steps"]
    assert sum(recipe["sources"].values()) == pytest.approx(1)
    assert recipe["split"]["test"] >= 0.2
    assert not any("NC" in licence.upper().split() for licence in recipe["free_licences"])
