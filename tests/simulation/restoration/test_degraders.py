"""Degraders take detail away, move nothing, and say what they drew."""

import numpy as np
import pytest
import torch

from dfsynth.checkpoint import packaged_generators
from dfsynth.errors import UsageError
from dfsynth.manifest import null_parameters, pair_schema
from dfsynth.options import DEGRADERS
from dfsynth.options.simulate_tasks import RESTORATION
from dfsynth.simulation.restoration import degraders
from dfsynth.simulation.restoration.blurring import Blurring
from dfsynth.simulation.restoration.degraders import open_degrader
from dfsynth.simulation.streams import Streams

CPU = torch.device("cpu")
SIDE = 96
Y, X = np.mgrid[:SIDE, :SIDE].astype(np.float32)
DISC = (np.hypot(Y - 40, X - 55) < 20).astype(np.float32)
FINE = (DISC * (0.6 + 0.4 * np.sin(2 * np.pi * X / 3)) * 0.9 + 0.05).astype(np.float32)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def high(image: np.ndarray) -> float:
    """Power of what changes within three pixels."""
    spectrum = np.abs(np.fft.fft2(image - image.mean())) ** 2
    fy, fx = (np.abs(np.fft.fftfreq(side)) for side in image.shape)
    return float(spectrum[np.hypot(fy[:, None], fx[None, :]) > 0.3].sum())


@pytest.mark.parametrize("name", DEGRADERS)
@pytest.mark.parametrize("seed", range(4))
def test_detail_goes_and_what_is_large_stays_where_it_is(name: str, seed: int) -> None:
    found = open_degrader(name, CPU).degrade(FINE, rng(seed))
    assert found.dtype == np.float32
    assert found.shape == FINE.shape
    assert 0 <= found.min() <= found.max() <= 1
    assert high(found) < 0.2 * high(FINE)
    bright = found > 0.3
    assert abs(Y[bright].mean() - 40) < 0.5
    assert abs(X[bright].mean() - 55) < 0.5


@pytest.mark.parametrize("name", DEGRADERS)
def test_equal_streams_give_equal_images_and_what_was_drawn(name: str) -> None:
    degrader = open_degrader(name, CPU)
    assert np.array_equal(degrader.degrade(FINE, rng(3)), degrader.degrade(FINE, rng(3)))
    assert not np.array_equal(degrader.degrade(FINE, rng(3)), degrader.degrade(FINE, rng(4)))
    drawn = degrader.drawn(rng(3))
    assert drawn == degrader.drawn(rng(3)) != degrader.drawn(rng(4))
    assert drawn.keys() <= null_parameters(pair_schema(RESTORATION)).keys()


def test_greys_of_a_drr_are_few_and_end_early() -> None:
    degrader = open_degrader("drr", CPU)
    ramp = np.tile(np.linspace(0, 1, SIDE, dtype=np.float32), (SIDE, 1))
    for seed in range(4):
        drawn = degrader.drawn(rng(seed))
        found = degrader.degrade(ramp, rng(seed))
        step = 1 / (int(drawn["grey_levels"] or 0) - 1)
        assert len(np.unique(found)) <= int(drawn["grey_levels"] or 0)
        assert found.min() == pytest.approx(float(drawn["black"] or 0), abs=step)
        assert found.max() == pytest.approx(float(drawn["white"] or 1), abs=step)


def test_padding_stays_black_and_does_not_creep_into_the_image() -> None:
    content = (slice(16, 80), slice(0, SIDE))
    bright = np.zeros((SIDE, SIDE), np.float32)
    bright[content] = np.where(X > SIDE / 2, 1, 0.5)[content]
    found = Blurring(open_degrader("bicubic", CPU)).blur(bright, content, Streams(5)).blurred
    assert (found[:16] == 0).all()
    assert (found[80:] == 0).all()
    assert found[16, 60:].mean() > 0.85
    assert found[content].min() == 0
    assert found[content].max() == 1


def test_a_degrader_that_is_not_there_is_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match=r"--degrader nearest: .*bicubic.*found nothing"):
        open_degrader("nearest", CPU)
    with pytest.raises(UsageError, match=r"folder of a trained degrader, found no degrader there"):
        open_degrader(str(tmp_path), CPU)


def test_a_folder_of_another_kind_of_checkpoint_is_no_degrader() -> None:
    generator = packaged_generators()[0]
    with pytest.raises(UsageError, match="is a generator and degrades nothing"):
        open_degrader(str(generator), CPU)
    with pytest.raises(UsageError, match=r"is a run of training|no degrader there"):
        open_degrader(str(generator.parent), CPU)


def test_a_trained_degrader_computes_where_the_simulation_does(tmp_path, monkeypatch) -> None:
    (tmp_path / "model.json").write_text("{}")
    asked = []
    monkeypatch.setattr(degraders, "load_degrader", lambda *given: asked.append(given))
    there = torch.device("meta")
    open_degrader(str(tmp_path), there)
    assert asked == [(str(tmp_path), there)]
