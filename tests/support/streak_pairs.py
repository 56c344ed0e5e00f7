"""A small store of dark-field CT pairs."""

from pathlib import Path

import dfsynth


def simulate_slices(folder: Path, count: int = 8) -> Path:
    """Slices of 64 × 64 pixels, from two quick rotations each, in all four groups of patients."""
    out = folder / "slices.zarr"
    dfsynth.simulate_pairs(
        out,
        n=count,
        size=64,
        task="dark-field-ct",
        rotations=2,
        shots=600,
        workers=1,
        device="cpu",
        progress=None,
    )
    return out
