"""How many dark-field CT slices a minute `scan` makes, beside a plain writing; prints JSON.

    python benchmarks/ct_scan_speed.py [--sizes 200 400] [--plain-sizes 200] [--rotations 10]

The plain writing is the same chain as one would first write it, in float64 NumPy and scikit-image:
`radon` at every angle, one least-squares solve for each shot and all detector pixels together,
`iradon` of the same views. scikit-image turns about a pixel's middle, so that its streaks fall a
little elsewhere; mean and standard deviation in the lungs stand side by side.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from machine import describe_machine
from numpy.typing import NDArray
from skimage.transform import iradon, radon

from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings
from dfsynth.simulation.dark_field_ct.scanning import ScannedSlice, scan
from dfsynth.simulation.dark_field_ct.slice_object import SliceObject
from dfsynth.simulation.dark_field_ct.vibration import FringePhase, draw_phase

Array = NDArray[np.float64]
FIELD_OF_VIEW_MM = 420.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[200, 400])
    parser.add_argument("--plain-sizes", type=int, nargs="*", default=[200])
    parser.add_argument("--rotations", type=int, default=10)
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--slices", type=int, default=3, help="scans of each size; the median counts"
    )
    arguments = parser.parse_args()
    settings = ScanSettings(rotations=arguments.rotations)
    device = torch.device(arguments.device)
    result: dict[str, object] = {**describe_machine(), "device": arguments.device}
    for size in arguments.sizes:
        slice_object = draw_slice(size)
        runs = [
            measure(lambda: scan(slice_object, settings, np.random.default_rng(0), device))  # noqa: B023
            for _ in range(arguments.slices)
        ]
        ours = sorted(runs, key=lambda run: run.seconds)[len(runs) // 2]
        figures: dict[str, object] = {
            "slices_per_minute": round(60 / ours.seconds, 2),
            "cpu_seconds": round(ours.cpu_seconds, 2),
        }
        if size in arguments.plain_sizes:
            plain = PlainScan(slice_object, settings, np.random.default_rng(0))
            figures |= compare(slice_object, ours, measure(plain.run))
        result[f"{size}x{size}"] = figures
    result["peak_memory_mib"] = peak_memory_mib()
    print(json.dumps(result, indent=2))


def draw_slice(size: int) -> SliceObject:
    """Two lungs and a heart, of ellipses."""
    place = (np.arange(size) - (size - 1) / 2) * FIELD_OF_VIEW_MM / size

    def inside(x: float, y: float, semi_x: float, semi_y: float) -> NDArray[np.bool_]:
        return ((place - x) / semi_x) ** 2 + ((place[:, None] - y) / semi_y) ** 2 < 1

    body, heart = inside(0, 0, 175, 115), inside(15, -35, 45, 40)
    lungs = (inside(-85, -5, 62, 88) | inside(85, -5, 62, 88)) & ~heart
    seen = inside(0, 0, FIELD_OF_VIEW_MM / 2, FIELD_OF_VIEW_MM / 2)
    return SliceObject(
        mu_per_m=np.where(lungs, 4.5, np.where(body, 18.5, 0)).astype(np.float32),
        dark_field_per_m=np.where(lungs, 2.5, 0).astype(np.float32),
        lung_mask=lungs.astype(np.uint8),
        air_mask=(seen & ~body).astype(np.uint8),
        pixel_mm=FIELD_OF_VIEW_MM / size,
        parameters={},
    )


@dataclass(frozen=True)
class Timed:
    """One scan and how long it took: by the clock, and of processors, which others cannot slow."""

    scanned: ScannedSlice
    seconds: float
    cpu_seconds: float


def measure(make: Callable[[], ScannedSlice]) -> Timed:
    wall, processors = time.perf_counter(), time.process_time()
    scanned = make()
    return Timed(scanned, time.perf_counter() - wall, time.process_time() - processors)


def compare(slice_object: SliceObject, ours: Timed, plain: Timed) -> dict[str, Any]:
    """How much faster, and mean and standard deviation in the lungs by both, in 1/m."""
    lungs = slice_object.lung_mask == 1
    figures: dict[str, Any] = {
        "plain_slices_per_minute": round(60 / plain.seconds, 3),
        "plain_cpu_seconds": round(plain.cpu_seconds, 2),
        "times_as_fast": round(plain.seconds / ours.seconds, 1),
        "times_as_fast_by_cpu_seconds": round(plain.cpu_seconds / ours.cpu_seconds, 1),
    }
    for name in ("single_rotation", "multi_rotation"):
        for writing, timed in (("ours", ours), ("plain", plain)):
            values = getattr(timed.scanned, name)[lungs]
            figures[f"{name}_{writing}"] = [round(float(f()), 3) for f in (values.mean, values.std)]
    return figures


def peak_memory_mib() -> int:
    """The most memory this process held, the plain writing's included where it ran."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (2**20 if sys.platform == "darwin" else 2**10)


@dataclass
class PlainScan:
    """The chain, step by step, of a parallel beam and one detector pixel for each column."""

    slice_object: SliceObject
    settings: ScanSettings
    rng: np.random.Generator

    def run(self) -> ScannedSlice:
        settings, rotations = self.settings, self.settings.rotations
        theta = np.arange(settings.shots_per_rotation) * 360 / settings.shots_per_rotation
        attenuation, dark_field = (
            self.project(image, theta)
            for image in (self.slice_object.mu_per_m, self.slice_object.dark_field_per_m)
        )
        phase, reference_phase = (draw_phase(settings, self.rng) for _ in range(2))
        air = np.zeros_like(attenuation)
        counts, phases = self.expose(air, air, reference_phase, 0)
        reference = self.fit(counts, phases)
        turns = [self.expose(attenuation, dark_field, phase, turn) for turn in range(rotations)]
        single = self.retrieve(turns[:1], settings.window_shots, reference)
        multi = self.retrieve(turns, settings.stepping_shots, reference)
        return ScannedSlice(
            single_rotation=self.reconstruct(single[0], theta),
            multi_rotation=self.reconstruct(multi[0], theta),
            truth=self.slice_object.dark_field_per_m,
            attenuation=self.reconstruct(single[1], theta),
            parameters={},
        )

    def project(self, image: NDArray[np.float32], theta: Array) -> Array:
        return (
            radon(  # type: ignore[no-untyped-call]
                image.astype(float), theta
            ).T
            * self.slice_object.pixel_mm
            / 1000
        )

    def expose(
        self, attenuation: Array, dark_field: Array, phase: FringePhase, turn: int
    ) -> tuple[Array, Array]:
        """Counts and phases (shots, detector_pixels) of one rotation, shot by shot."""
        settings, columns = self.settings, attenuation.shape[1]
        position = (2 * np.arange(columns) + 1) / columns - 1
        counts, phases = np.empty_like(attenuation), np.empty_like(attenuation)
        for shot in range(settings.shots_per_rotation):
            time_s = (shot + 0.5) * settings.shot_s + turn * settings.rotation_s
            phases[shot] = phase.start_rad + np.pi * phase.fringes * position
            phases[shot] += 2 * np.pi * phase.drift_cycles_per_s * time_s
            rate = np.full(columns, 2 * np.pi * phase.drift_cycles_per_s)
            for mode in phase.modes:
                amplitude = mode.amplitude_rad + mode.tilt_rad * position
                angular = 2 * np.pi * mode.frequency_hz
                phases[shot] += amplitude * np.sin(angular * time_s + mode.start_rad)
                rate += amplitude * angular * np.cos(angular * time_s + mode.start_rad)
            blur = np.sinc(rate * settings.shot_s / (2 * np.pi))
            visibility = settings.visibility * blur * np.exp(-dark_field[shot])
            mean = settings.photons * np.exp(-attenuation[shot])
            counts[shot] = mean * (1 + visibility * np.cos(phases[shot]))
        if settings.photon_noise:
            counts = self.rng.poisson(counts).astype(float)
        return counts, phases

    def fit(self, counts: Array, phases: Array) -> tuple[Array, Array]:
        """Mean and visibility (detector_pixels) of fits to (shots, detector_pixels)."""
        basis = np.stack([np.ones_like(phases), np.cos(phases), np.sin(phases)], axis=-1)
        normal = np.einsum("spi,spj->pij", basis, basis)
        right = np.einsum("spi,sp->pi", basis, counts)
        mean, of_cos, of_sin = np.linalg.solve(normal, right[..., None])[..., 0].T
        mean = np.maximum(mean, 0.5 / len(counts))
        return mean, np.clip(np.hypot(of_cos, of_sin) / mean, 1e-3, 1)

    def retrieve(
        self, turns: list[tuple[Array, Array]], neighbours: int, reference: tuple[Array, Array]
    ) -> tuple[Array, Array]:
        """-ln(V / V_ref) and -ln(mean / mean_ref), (shots, detector_pixels), window by window."""
        shots = self.settings.shots_per_rotation
        dark_field, attenuation = np.empty_like(turns[0][0], float), np.empty_like(turns[0][1])
        for shot in range(shots):
            window = np.arange(shot - neighbours // 2, shot + neighbours // 2 + 1) % shots
            counts = np.concatenate([counts[window] for counts, _ in turns])
            phases = np.concatenate([phases[window] for _, phases in turns])
            mean, visibility = self.fit(counts, phases)
            dark_field[shot] = -np.log(visibility / reference[1])
            attenuation[shot] = -np.log(mean / reference[0])
        return dark_field, attenuation

    def reconstruct(self, integrals: Array, theta: Array) -> NDArray[np.float32]:
        image = (
            iradon(  # type: ignore[no-untyped-call]
                integrals.T, theta, filter_name="hann"
            )
            * 1000
            / self.slice_object.pixel_mm
        )
        return image.astype(np.float32)


if __name__ == "__main__":
    main()
