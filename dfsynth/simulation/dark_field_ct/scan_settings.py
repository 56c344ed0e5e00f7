"""What a dark-field CT scan is made with, checked before any time is spent."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.errors import UsageError
from dfsynth.options.simulate_tasks import BEAMS
from dfsynth.simulation.dark_field_ct.coverage import LEAST_COVERAGE, phase_coverage

FILTERS: Final = ("ram-lak", "hann")
MOST_ROTATIONS: Final = 20
_FEWEST_WINDOW_SHOTS: Final = 21
_MOST_WINDOW_SHOTS: Final = 41
_FEWEST_DETECTOR_PIXELS: Final = 16


@dataclass(frozen=True, slots=True)
class VibrationMode:
    """One mechanical resonance of the interferometer, as it moves the fringe phase."""

    frequency_hz: float
    amplitude_rad: float


VIBRATION_MODES: Final = (
    VibrationMode(18.0, 6.0),
    VibrationMode(47.0, 2.5),
    VibrationMode(110.0, 1.25),
    VibrationMode(260.0, 0.4),
)
"""The resonances of the scanner [assumed]: so large that one rotation is as noisy as a prototype's.

Smaller ones cover less of a fringe within a window, and give more streaks.
"""


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """The scanner and its reconstruction; the defaults are those of Frey et al. where given.

    Raises:
        UsageError: a value is out of its range, or the fringe phase changes too little for a fit.
    """

    beam: str = "parallel"
    """`parallel` or `fan`."""
    rotations: int = 10
    """Full turns that virtual phase stepping uses, 1 to 20; the first one alone is the input."""
    shots_per_rotation: int = 2400
    """Exposures a turn, even, at least `window_shots`."""
    rotation_s: float = 1.5
    """Duration of a turn in s."""
    window_shots: int = 31
    """Shots of one sliding window of the phase retrieval, odd, 21 to 41."""
    detector_pixels: int | None = None
    """Pixels of the detector over the field of view; None: as many as the slice has columns."""
    photons: float = 1e4
    """N0: photons of one shot in one detector pixel of the open field [assumed]."""
    photon_noise: bool = True
    """Whether photons are counted, or their mean is taken."""
    visibility: float = 0.25
    """V0: visibility of the fringes without object and vibration, above 0, at most 1 [assumed]."""
    drift_cycles_per_s: float = 0.5
    """Steady drift of the fringe phase [assumed]."""
    modes: tuple[VibrationMode, ...] = VIBRATION_MODES
    """Resonances from which each scan draws its vibration."""
    vibration_scale: float = 1.0
    """Factor on all amplitudes of vibration; 0 is an interferometer at rest but for its drift."""
    reference_scan: bool = True
    """Whether the reference is a turn without object, vibrating and noisy too, or is known."""
    source_to_centre_mm: float = 600.0
    """Of a fan beam: from focus to axis of rotation. The detector's distance only magnifies."""
    filter: str = "hann"
    """Of the back-projection: `ram-lak`, or `hann`, which damps noise and fine detail [assumed]."""

    def __post_init__(self) -> None:
        """Checks every value, and then whether the fringe phase moves enough."""
        for name in ("rotation_s", "photons", "source_to_centre_mm"):
            _require_positive(name, getattr(self, name))
        _require_choice("beam", self.beam, BEAMS)
        _require_choice("filter", self.filter, FILTERS)
        self._require_counts()
        self._require_fringes()
        self._require_phase_coverage()

    @property
    def shot_s(self) -> float:
        """Duration of one shot in s: the tube is on all the time."""
        return self.rotation_s / self.shots_per_rotation

    @property
    def stepping_shots(self) -> int:
        """Neighbouring shots of each turn in one fit of virtual phase stepping, odd.

        As few as give a fit about as many shots as a sliding window has: one turn has to use the
        window itself, and twenty need no neighbours.
        """
        return 2 * round((self.window_shots / self.rotations - 1) / 2) + 1

    def _require_counts(self) -> None:
        if not 1 <= self.rotations <= MOST_ROTATIONS:
            raise UsageError(
                f"rotations is {self.rotations}; expected 1 to {MOST_ROTATIONS} full turns"
            )
        if (
            not _FEWEST_WINDOW_SHOTS <= self.window_shots <= _MOST_WINDOW_SHOTS
            or self.window_shots % 2 == 0
        ):
            raise UsageError(
                f"window_shots is {self.window_shots}; expected an odd number from "
                f"{_FEWEST_WINDOW_SHOTS} to {_MOST_WINDOW_SHOTS}, such as 31"
            )
        if self.shots_per_rotation < self.window_shots:
            raise UsageError(
                f"{self.shots_per_rotation} shots per rotation are fewer than the "
                f"{self.window_shots} of a retrieval window; take more shots or a shorter window"
            )
        if self.shots_per_rotation % 2:
            raise UsageError(
                f"shots_per_rotation is {self.shots_per_rotation}; expected an even number, "
                "so that every view has its opposite"
            )
        if self.detector_pixels is not None and self.detector_pixels < _FEWEST_DETECTOR_PIXELS:
            raise UsageError(
                f"detector_pixels is {self.detector_pixels}; expected at least "
                f"{_FEWEST_DETECTOR_PIXELS}, or None for one to each column of the slice"
            )

    def _require_fringes(self) -> None:
        if not 0 < self.visibility <= 1:
            raise UsageError(
                f"visibility is {self.visibility}; expected a number above 0 and at most 1"
            )
        for name in ("vibration_scale", "drift_cycles_per_s"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise UsageError(f"{name} is {value}; expected 0 or a positive number")
        for mode in self.modes:
            _require_positive("frequency_hz of a vibration mode", mode.frequency_hz)
            _require_positive("amplitude_rad of a vibration mode", mode.amplitude_rad)

    def _require_phase_coverage(self) -> None:
        """Refuses scans in most of whose windows, or steps, the least squares are singular."""
        turn = self._mean_phase(rotation=0)
        window = phase_coverage(turn[None], self.window_shots)
        turns = np.stack([self._mean_phase(rotation) for rotation in range(self.rotations)])
        stepping = phase_coverage(turns, self.stepping_shots)
        for coverage, what in (
            (window, f"a retrieval window of {self.window_shots} shots"),
            (stepping, f"virtual phase stepping over {self.rotations} rotations"),
        ):
            if coverage < LEAST_COVERAGE:
                raise UsageError(
                    f"the fringe phase hardly changes within {what}: coverage {coverage:.2g} of "
                    f"at least {LEAST_COVERAGE:.2g} (0.5 is a whole fringe), so that no fringe can "
                    f"be fitted; found vibration_scale {self.vibration_scale:g} and "
                    f"drift_cycles_per_s {self.drift_cycles_per_s:g}, raise one of them, and let a "
                    "rotation drift by no whole number of cycles"
                )

    def _mean_phase(self, rotation: int) -> NDArray[np.float64]:
        """Fringe phase in rad at the shots of one turn, (shots), with every mode at its mean."""
        shots = np.arange(self.shots_per_rotation, dtype=np.float64) + 0.5
        time_s = shots * self.shot_s + rotation * self.rotation_s
        phase = np.asarray(2 * np.pi * self.drift_cycles_per_s * time_s, np.float64)
        for mode in self.modes:
            moved = mode.amplitude_rad * np.sin(2 * np.pi * mode.frequency_hz * time_s)
            phase += self.vibration_scale * moved
        return phase


def _require_positive(name: str, value: float) -> None:
    if not (np.isfinite(value) and value > 0):
        raise UsageError(f"{name} is {value}; expected a positive number")


def _require_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"unknown {name} {value!r}; expected {' or '.join(choices)}")
