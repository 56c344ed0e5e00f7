"""Targets as a network learns them, of stores and of files."""

from pathlib import Path

import numpy as np
import pytest

import dfsynth
from dfsynth.datasets import open_pairs
from dfsynth.records import IntensityRange, IntensityWindow

OUTPUT = IntensityRange(-1.0, 3.0, "1")


@pytest.mark.torch
def test_targets_of_a_store_are_scaled_and_all_else_is_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "pairs.zarr"
    dfsynth.simulate_pairs(out, 1, size=64, progress=None)
    plain = open_pairs(out, None, 80, (0.0, 1.0)).read(0)
    scaled = open_pairs(out, None, 80, (0.0, 1.0), output=OUTPUT).read(0)
    assert plain.clean is not None
    assert scaled.clean is not None
    for before, after in ((plain.target, scaled.target), (plain.clean, scaled.clean)):
        np.testing.assert_allclose(after, (before + 1) / 4, atol=1e-6)
    np.testing.assert_array_equal(scaled.image, plain.image)


def test_padding_of_scaled_targets_is_0(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for folder in ("images", "targets"):
        (tmp_path / folder).mkdir()
        for name in "ab":
            np.save(tmp_path / folder / f"{name}.npy", rng.random((8, 16), np.float32))
    source = open_pairs(
        *(tmp_path / "images", tmp_path / "targets", 16, (0.0, 1.0), IntensityWindow()),
        output=OUTPUT,
    )
    found = source.read(0)
    np.testing.assert_array_equal(found.target[:4], 0)
    stored = np.load(tmp_path / "targets" / f"{source.rows[0].key}.npy")
    np.testing.assert_allclose(found.target[found.content], (stored + 1) / 4, atol=1e-6)
