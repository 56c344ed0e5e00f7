"""The simulation of the filter's promise: its draws, and the population that it asks."""

import numpy as np
from risk_control import SETTINGS, Setting, draw, simulate


def test_a_draw_has_the_images_of_its_setting() -> None:
    rng = np.random.default_rng(0)
    for setting in SETTINGS:
        scores, failed, owners = draw(setting, 12, setting.ease, rng)
        assert len(scores) == len(failed) == len(owners) == 12 * setting.images
        assert len(set(owners)) == 12


def test_easier_images_fail_less_at_equal_scores() -> None:
    plain, easier = (
        draw(Setting("drawn"), 5000, ease, np.random.default_rng(0)) for ease in (0.0, 1.0)
    )
    assert (plain[0] == easier[0]).all()
    assert easier[1].mean() < 0.5 * plain[1].mean()


def test_a_promise_is_kept_and_one_on_easier_patients_is_not() -> None:
    kept = simulate(Setting("drawn"), 160, 40, 0)
    broken = simulate(Setting("easier", ease=1.0), 160, 40, 0)
    assert kept.promised > 0.9
    assert 0.6 < kept.kept < 0.85
    assert kept.violated <= 0.15
    assert broken.violated > 0.9


def test_too_few_patients_promise_nothing() -> None:
    found = simulate(Setting("drawn"), 20, 5, 0)
    assert (found.promised, found.kept, found.violated) == (0, 0, 0)
