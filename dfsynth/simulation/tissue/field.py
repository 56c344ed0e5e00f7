"""Random fields on a coarse grid, and their values on the fine voxels of a slab."""

from dataclasses import dataclass

import numpy as np
import torch

from dfsynth.simulation.projection.beam import VoxelGrid


def gaussian_field(
    grid: VoxelGrid, correlation_mm: float, rng: np.random.Generator
) -> torch.Tensor:
    """A Gaussian field of mean 0 and variance 1, (planes, rows, columns) float32.

    The correlation falls to exp(−1) at `correlation_mm`. Periodic: grids reach beyond the lungs.
    """
    shape = (grid.planes, grid.rows, grid.columns)
    steps = (grid.step_y_mm, grid.step_z_mm, grid.step_x_mm)
    frequencies = [
        torch.fft.fftfreq(count, step) for count, step in zip(shape[:2], steps[:2], strict=True)
    ]
    frequencies.append(torch.fft.rfftfreq(shape[2], steps[2]))
    square = sum(
        (f**2).view([-1 if axis == i else 1 for i in range(3)])
        for axis, f in enumerate(frequencies)
    )
    # White noise through a Gaussian of half the variance of the correlation wanted.
    gain = torch.exp(-((np.pi * correlation_mm) ** 2) / 2 * square)
    noise = torch.from_numpy(rng.standard_normal(shape, np.float32))
    field = torch.fft.irfftn(torch.fft.rfftn(noise) * gain, s=shape)
    field -= field.mean()
    return field / field.std()


@dataclass(frozen=True, slots=True)
class CoarseFields:
    """Smooth fields (channels, planes, rows, columns) on a coarse grid."""

    grid: VoxelGrid
    values: torch.Tensor

    def on(self, fine: VoxelGrid, first: int, planes: int) -> torch.Tensor:
        """Trilinear values on planes `first`, … of `fine`, (channels, planes, rows, columns).

        Beyond the coarse grid the value at its border holds.
        """
        device = self.values.device
        held = self.grid
        along_y = _weights(
            (fine.y_mm(device)[first : first + planes] - held.first_y_mm) / held.step_y_mm,
            held.planes,
        )
        along_z = _weights((held.top_z_mm - fine.z_mm(device)) / held.step_z_mm, held.rows)
        along_x = _weights((fine.x_mm(device) - held.left_x_mm) / held.step_x_mm, held.columns)
        channels, _, rows, columns = self.values.shape
        coarse = (along_y @ self.values.reshape(channels, held.planes, -1)).view(
            channels, planes, rows, columns
        )
        return along_z @ (coarse @ along_x.T)


def _weights(position: torch.Tensor, count: int) -> torch.Tensor:
    """Linear interpolation at `position` (n), counted in samples, as a matrix (n, count)."""
    clamped = position.clamp(0, count - 1)
    samples = torch.arange(count, device=position.device, dtype=torch.float32)
    return (1 - (clamped[:, None] - samples[None, :]).abs()).clamp_min(0)
