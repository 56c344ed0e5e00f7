"""Equalisation, sharpening, tone_curve and grain: what each keeps and what it changes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfsynth.simulation.display.appearance import APPEARANCES, Appearance
from dfsynth.simulation.display.equalisation import (
    EqualisationParameters,
    draw_equalisation,
    equalise,
)
from dfsynth.simulation.display.grain import GrainParameters, add_grain
from dfsynth.simulation.display.sharpening import SharpeningParameters, draw_sharpening, sharpen
from dfsynth.simulation.display.tone_curve import (
    ToneCurveParameters,
    apply_tone_curve,
    draw_tone_curve,
)

STRAIGHT = ToneCurveParameters(0, 0, 0, 0, 0, None, None, 0.0, 1.0)


def waves(amplitude: float, period_px: float = 16, side: int = 128) -> np.ndarray:
    x = np.arange(side)[None, :].repeat(side, 0)
    return (3 + amplitude * np.sin(2 * np.pi * x / period_px)).astype(np.float32)


@pytest.mark.parametrize("shape", [(64, 64), (101, 77), (256, 192)])
def test_equalisation_without_gains_changes_nothing(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).uniform(0, 6, shape).astype(np.float32)
    found = equalise(image, 1.0, EqualisationParameters(1.0, 1.0, 0.5))
    np.testing.assert_allclose(found, image, atol=1e-5)


def test_equalisation_lifts_faint_detail_more_than_strong() -> None:
    parameters = EqualisationParameters(0.7, 1.0, 0.5)
    faint, strong = (
        equalise(waves(amplitude), 1.0, parameters)[40:88, 40:88].std()
        / waves(amplitude)[40:88, 40:88].std()
        for amplitude in (0.03, 0.8)
    )
    assert faint > 1.3
    assert faint > 1.2 * strong


def test_equalisation_narrows_what_is_wide() -> None:
    ramp = np.linspace(0, 5, 128, dtype=np.float32)[None].repeat(128, 0)
    found = equalise(ramp, 3.0, EqualisationParameters(1.0, 0.5, 0.5))
    assert np.ptp(found[60:70].mean(axis=0)) < 0.75 * 5


def test_sharpening_overshoots_at_an_edge_and_keeps_the_flat() -> None:
    step = np.zeros((64, 64), np.float32)
    step[:, 32:] = 1
    found = sharpen(step, 1.0, SharpeningParameters(2.0, 0.6))
    assert found.max() > 1.1
    assert found.min() < -0.1
    np.testing.assert_allclose(found[:, :20], 0, atol=1e-5)


def test_no_gain_does_not_sharpen() -> None:
    np.testing.assert_array_equal(
        sharpen(waves(0.5), 1.0, SharpeningParameters(2.0, 0.0)), waves(0.5)
    )


def test_a_concavity_of_one_is_the_light_itself() -> None:
    density = np.linspace(1, 5, 100, dtype=np.float32)[None].repeat(10, 0)
    found = apply_tone_curve(density, replace(STRAIGHT, concavity=1.0))
    light = np.exp(-density)
    expected = (np.exp(-1.04) - light) / (np.exp(-1.04) - np.exp(-4.96))
    np.testing.assert_allclose(found, expected.clip(0, 1), atol=0.002)


def test_a_straight_grading_runs_from_black_to_white() -> None:
    density = np.linspace(1, 5, 100, dtype=np.float32)[None].repeat(10, 0)
    np.testing.assert_allclose(
        apply_tone_curve(density, STRAIGHT), ((density - 1.04) / 3.92).clip(0, 1), atol=0.002
    )


@given(seed=st.integers(0, 2**32), appearance=st.sampled_from(APPEARANCES))
def test_denser_is_never_darker(seed: int, appearance: Appearance) -> None:
    parameters = draw_tone_curve(appearance, np.random.default_rng(seed))
    density = np.linspace(0, 7, 400, dtype=np.float32)[None].repeat(4, 0)
    found = apply_tone_curve(density, parameters)
    assert found.min() >= 0
    assert found.max() <= 1
    assert (np.diff(found[0]) >= -1e-5).all()
    assert np.ptp(found) > 0.25 * (parameters.white - parameters.black)


@pytest.mark.parametrize("concavity", [0.0, 0.4, 1.0])
def test_a_shoulder_saves_what_clipping_would_lose(concavity: float) -> None:
    density = np.linspace(1, 5, 200, dtype=np.float32)[None].repeat(10, 0)
    hard = replace(STRAIGHT, concavity=concavity, high_margin=-0.2)
    soft = replace(hard, shoulder=0.3)
    assert (apply_tone_curve(density, hard) >= 0.999).mean() > 0.1
    assert (apply_tone_curve(density, soft) >= 0.999).mean() < 0.01


@pytest.mark.parametrize("concavity", [0.0, 0.4, 1.0])
@pytest.mark.parametrize(("lung", "dense"), [(0.25, 0.85), (0.55, 0.9), (0.35, 0.6)])
def test_lung_and_mediastinum_get_the_greys_asked_for(
    concavity: float, lung: float, dense: float
) -> None:
    density = np.linspace(1, 5, 2001, dtype=np.float32)[None].repeat(5, 0)
    parameters = replace(
        STRAIGHT, concavity=concavity, toe=0.1, shoulder=0.2, lung_grey=lung, dense_grey=dense
    )
    found = apply_tone_curve(density, parameters)[0]
    assert found[400] == pytest.approx(lung, abs=0.01)
    assert found[1600] == pytest.approx(dense, abs=0.01)


@pytest.mark.parametrize("appearance", APPEARANCES)
def test_little_is_crushed_or_saturated(appearance: Appearance) -> None:
    density = np.linspace(1, 5, 2001, dtype=np.float32)[None].repeat(5, 0)
    for seed in range(20):
        parameters = replace(
            draw_tone_curve(appearance, np.random.default_rng(seed)), black=0.0, white=1.0
        )
        found = apply_tone_curve(density, parameters)
        assert (found > 0.995).mean() < 0.08
        assert (found < 0.005).mean() < 0.08


def test_an_image_of_one_density_is_graded_without_fault() -> None:
    assert np.isfinite(apply_tone_curve(np.full((20, 20), 2.0, np.float32), STRAIGHT)).all()
    assert np.isfinite(apply_tone_curve(np.zeros((20, 20), np.float32), STRAIGHT)).all()


def test_grain_has_its_strength_whatever_its_width() -> None:
    image = np.full((200, 200), 0.5, np.float32)
    for sigma_px in (0.3, 0.9):
        found = add_grain(image, GrainParameters(0.01, sigma_px, 3))
        assert found.std() == pytest.approx(0.01, rel=0.01)
        assert found.mean() == pytest.approx(0.5, abs=1e-3)
        narrow = add_grain(image, GrainParameters(0.01, sigma_px, 3), 0.3)
        assert narrow.std() == pytest.approx(0.003, rel=0.01)


def test_draws_stay_in_range() -> None:
    for seed in range(30):
        rng = np.random.default_rng(seed)
        for appearance in APPEARANCES:
            assert 0.1 < draw_equalisation(appearance, rng).latitude <= 1
            assert 0 <= draw_sharpening(appearance, rng).gain <= 1


def test_only_the_equalised_are_strongly_equalised() -> None:
    latitude = {
        appearance: np.mean(
            [draw_equalisation(appearance, np.random.default_rng(s)).latitude for s in range(50)]
        )
        for appearance in APPEARANCES
    }
    assert latitude["equalised"] < 0.5 < min(v for k, v in latitude.items() if k != "equalised")
