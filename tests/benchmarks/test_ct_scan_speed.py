"""The plain writing of a dark-field CT scan finds what ours does."""

import numpy as np
import pytest
import torch
from ct_scan_speed import PlainScan, compare, draw_slice, measure

from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings
from dfsynth.simulation.dark_field_ct.scanning import scan


def test_both_writings_find_the_same_lungs_and_as_many_streaks() -> None:
    slice_object = draw_slice(64)
    settings = ScanSettings(rotations=4, shots_per_rotation=960, photon_noise=False)
    ours = measure(
        lambda: scan(slice_object, settings, np.random.default_rng(1), torch.device("cpu"))
    )
    plain = measure(PlainScan(slice_object, settings, np.random.default_rng(1)).run)
    figures = compare(slice_object, ours, plain)
    for name in ("single_rotation", "multi_rotation"):
        mean, spread = figures[f"{name}_ours"]
        plain_mean, plain_spread = figures[f"{name}_plain"]
        assert mean == pytest.approx(plain_mean, rel=0.03)
        assert spread == pytest.approx(plain_spread, rel=0.2)
