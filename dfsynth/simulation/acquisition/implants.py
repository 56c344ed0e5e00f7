"""Implants and what else is not the patient: pacemakers, cables, lines, clips.

All of it is metal, and none of it gives a dark-field signal.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map

ImplantKind: TypeAlias = Literal["pacemaker", "ecg", "central_line", "port", "clips", "wires"]
IMPLANT_KINDS: tuple[ImplantKind, ...] = (
    "pacemaker",
    "ecg",
    "central_line",
    "port",
    "clips",
    "wires",
)
_GRAIN_PX = 0.25
_LEAST_MASK_MM = 0.05
_SPECK_SHARE = 0.15
Points: TypeAlias = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Wire:
    """A smooth line of metal; places are (x, y) shares of image width and height."""

    points: Points
    width_mm: float
    metal_mm: float
    """Along the ray through the wire's middle, as iron."""


@dataclass(frozen=True, slots=True)
class Plate:
    """A filled ellipse or, with `outline_mm`, a ring of metal."""

    centre: tuple[float, float]
    """(x, y) as shares of image width and height."""
    axes_mm: tuple[float, float]
    angle_degrees: float
    metal_mm: float
    outline_mm: float | None = None


@dataclass(frozen=True, slots=True)
class ImplantParameters:
    """Everything that one patient wears or carries."""

    kinds: tuple[ImplantKind, ...]
    wires: tuple[Wire, ...]
    plates: tuple[Plate, ...]


@dataclass(frozen=True, slots=True)
class ChestPlaces:
    """Where things belong, as (x, y) shares of the image; the patient's left is at the right."""

    left: float
    """Outer edge of the lungs at the left of the image, as a share of its width."""
    right: float
    """The same at the right."""
    top: float
    """Upper end of the lungs, as a share of the image's height."""
    bottom: float
    """Their lower end."""

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The place in the image of `x` and `y` in the box, from (0, 0) upper left to (1, 1)."""
        return (
            self.left + x * (self.right - self.left),
            self.top + y * (self.bottom - self.top),
        )


def chest_places(lung_mask: NDArray[np.bool_]) -> ChestPlaces:
    """The box around a lung mask (y, x); without any lung, the usual place of a chest.

    Rows and columns with little lung do not count, so that no speck and no windpipe widens it.
    """
    if not lung_mask.any():
        return ChestPlaces(0.15, 0.85, 0.15, 0.75)
    along_rows, along_columns = lung_mask.sum(axis=1), lung_mask.sum(axis=0)
    rows = np.flatnonzero(along_rows > _SPECK_SHARE * along_rows.max())
    columns = np.flatnonzero(along_columns > _SPECK_SHARE * along_columns.max())
    height, width = lung_mask.shape
    return ChestPlaces(
        float(columns[0] / width),
        float((columns[-1] + 1) / width),
        float(rows[0] / height),
        float((rows[-1] + 1) / height),
    )


def draw_implants(
    places: ChestPlaces, rng: np.random.Generator, kinds: tuple[ImplantKind, ...] | None = None
) -> ImplantParameters:
    """Draws one to three kinds of implants, or exactly `kinds`, each at its place in the chest."""
    chosen = kinds
    if chosen is None:
        order = rng.permutation(len(IMPLANT_KINDS))[: rng.integers(1, 4)]
        chosen = tuple(IMPLANT_KINDS[index] for index in order)
    wires: list[Wire] = []
    plates: list[Plate] = []
    for kind in chosen:
        more_wires, more_plates = _DRAWERS[kind](places, rng)
        wires += more_wires
        plates += more_plates
    return ImplantParameters(chosen, tuple(wires), tuple(plates))


def project_implants(
    shape: tuple[int, int], pixel_mm: float, parameters: ImplantParameters
) -> tuple[Float32Map, NDArray[np.bool_]]:
    """(metal_mm, mask), both (y, x): mm of iron along the rays, and where there is any."""
    metal = np.zeros(shape, np.float32)
    for wire in parameters.wires:
        metal += _strew(shape, pixel_mm, wire)
    for plate in parameters.plates:
        _press(metal, pixel_mm, plate)
    return metal, metal > _LEAST_MASK_MM


def _strew(shape: tuple[int, int], pixel_mm: float, wire: Wire) -> Float32Map:
    """Metal of a round wire, (y, x): grains along and across it, each shared by four pixels."""
    line = _smooth(np.asarray(wire.points) * (shape[1], shape[0]) - 0.5)
    steps = np.diff(line, axis=0)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    places = np.arange(0, along[-1], _GRAIN_PX) + _GRAIN_PX / 2
    width_px = wire.width_mm / pixel_mm
    across = np.linspace(-1, 1, 2 * max(2, round(width_px / _GRAIN_PX)) + 1)[1::2]
    x, y = (np.interp(places, along, line[:, axis]) for axis in (0, 1))
    angle = np.arctan2(np.gradient(y), np.gradient(x))
    x = x[:, None] - across * np.sin(angle)[:, None] * width_px / 2
    y = y[:, None] + across * np.cos(angle)[:, None] * width_px / 2
    # Few grains across sum up badly; a disc fills pi/4 of its square.
    profile = np.sqrt(1 - across**2)
    profile *= np.pi / 4 / profile.sum()
    grain = wire.metal_mm * profile * _GRAIN_PX * width_px
    return _share(shape, x.ravel(), y.ravel(), np.broadcast_to(grain, x.shape).ravel())


def _share(
    shape: tuple[int, int],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    amount: NDArray[np.float64],
) -> Float32Map:
    """`amount` (n) at places (n) in pixels, in the four pixels around each, (y, x)."""
    inside = (x >= 0) & (x < shape[1] - 1) & (y >= 0) & (y < shape[0] - 1)
    x, y, amount = x[inside], y[inside], amount[inside]
    column, row = x.astype(np.int64), y.astype(np.int64)
    right, down = x - column, y - row
    image = np.zeros(shape[0] * shape[1])
    first = row * shape[1] + column
    for step, part in (
        (0, (1 - right) * (1 - down)),
        (1, right * (1 - down)),
        (shape[1], (1 - right) * down),
        (shape[1] + 1, right * down),
    ):
        image += np.bincount(first + step, amount * part, image.size)
    return image.reshape(shape).astype(np.float32)


def _press(metal: Float32Map, pixel_mm: float, plate: Plate) -> None:
    """Adds a plate to `metal` (y, x), in place."""
    x_mm = ((plate.centre[0] * metal.shape[1] - 0.5) - np.arange(metal.shape[1])) * pixel_mm
    y_mm = ((plate.centre[1] * metal.shape[0] - 0.5) - np.arange(metal.shape[0])) * pixel_mm
    reach = max(plate.axes_mm) + (plate.outline_mm or 0) + pixel_mm
    columns, rows = (np.flatnonzero(np.abs(place) <= reach) for place in (x_mm, y_mm))
    if not len(columns) or not len(rows):
        return
    window = metal[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    angle = np.deg2rad(plate.angle_degrees)
    x, y = x_mm[columns][None, :], y_mm[rows][:, None]
    u = (x * np.cos(angle) + y * np.sin(angle)) / plate.axes_mm[0]
    v = (y * np.cos(angle) - x * np.sin(angle)) / plate.axes_mm[1]
    radius = np.maximum(np.hypot(u, v), 1e-6)
    # To first order the distance from an ellipse is its equation over its gradient.
    gradient = np.hypot(u / plate.axes_mm[0], v / plate.axes_mm[1]) / radius
    outside_mm = (radius - 1) / np.maximum(gradient, 1 / max(plate.axes_mm))
    if plate.outline_mm is not None:
        outside_mm = np.abs(outside_mm) - plate.outline_mm / 2
    window += np.float32(plate.metal_mm) * np.clip(0.5 - outside_mm / pixel_mm, 0, 1)


def _smooth(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A Catmull-Rom spline through the points (n, 2)."""
    padded = np.vstack([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = np.linspace(0, 1, 24, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces.append(
            b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
        )
    return np.vstack([*pieces, points[-1:]])


def _jittered(places: ChestPlaces, path: Points, spread: float, rng: np.random.Generator) -> Points:
    return tuple(places.at(x + rng.normal(0, spread), y + rng.normal(0, spread)) for x, y in path)


Drawn: TypeAlias = tuple[list[Wire], list[Plate]]


def _pacemaker(places: ChestPlaces, rng: np.random.Generator) -> Drawn:
    """Under the left or, less often, the right collar bone; leads to the right heart."""
    x = 0.86 if rng.random() < 0.85 else 0.14
    x, y = x + rng.normal(0, 0.03), 0.12 + rng.normal(0, 0.04)
    size = rng.uniform(19, 25)
    can = Plate(places.at(x, y), (size, size * 0.85), rng.uniform(0, 180), rng.uniform(2, 5))
    header = Plate(places.at(x - 0.03, y - 0.05), (8, 5), rng.uniform(0, 180), 1.0)
    ends = [(0.58, 0.88)] if rng.random() < 0.5 else [(0.58, 0.88), (0.42, 0.66)]
    leads = [
        Wire(
            _jittered(
                places,
                ((x, y), (x, y - 0.1), (0.55, 0.06), (0.42, 0.25), (0.4, 0.5), end),
                0.012,
                rng,
            ),
            rng.uniform(1.2, 2.2),
            rng.uniform(0.6, 1.2),
        )
        for end in ends
    ]
    return leads, [can, header]


def _ecg(places: ChestPlaces, rng: np.random.Generator) -> Drawn:
    """Three to five electrodes, each with a cable that leaves the image."""
    wires, plates = [], []
    for x, y in rng.permutation(((0.1, 0.1), (0.9, 0.1), (0.9, 0.85), (0.1, 0.85), (0.5, 0.5)))[
        : rng.integers(3, 6)
    ]:
        spot = _jittered(places, ((x, y),), 0.05, rng)[0]
        plates.append(Plate(spot, (5.0, 5.0), 0, rng.uniform(0.3, 1.0)))
        way = places.at(rng.uniform(0.2, 0.8), rng.uniform(0.3, 0.9))
        out = (float(rng.uniform(-0.1, 1.1)), float(rng.choice([-0.05, 1.05])))
        middle = tuple((a + b) / 2 + rng.normal(0, 0.06) for a, b in zip(spot, way, strict=True))
        path = (spot, (middle[0], middle[1]), way, out)
        wires.append(Wire(path, rng.uniform(1.0, 2.0), rng.uniform(0.15, 0.5)))
    return wires, plates


def _central_line(places: ChestPlaces, rng: np.random.Generator) -> Drawn:
    """From a vein of the neck or below a collar bone to the vena cava."""
    starts = (((0.3, -0.2), (0.38, 0.0)), ((0.15, -0.02), (0.3, 0.0)), ((0.85, -0.02), (0.6, 0.02)))
    start = starts[rng.integers(3)]
    path = (*start, (0.42, 0.18), (0.42, rng.uniform(0.3, 0.45)))
    line = Wire(_jittered(places, path, 0.01, rng), rng.uniform(1.5, 2.5), rng.uniform(0.1, 0.3))
    return [line], []


def _port(places: ChestPlaces, rng: np.random.Generator) -> Drawn:
    """A chamber on the chest wall and its catheter."""
    x, y = 0.2 + rng.normal(0, 0.03), 0.22 + rng.normal(0, 0.03)
    size = rng.uniform(9, 13)
    chamber = Plate(places.at(x, y), (size, size), 0, rng.uniform(0.3, 1.0))
    ring = Plate(places.at(x, y), (size * 0.8, size * 0.8), 0, 1.5, outline_mm=1.5)
    path = ((x, y), (x + 0.03, 0.02), (0.36, 0.0), (0.42, 0.18), (0.42, 0.42))
    tube = Wire(_jittered(places, path, 0.008, rng), rng.uniform(1.5, 2.5), 0.2)
    return [tube], [chamber, ring]


def _clips(places: ChestPlaces, rng: np.random.Generator) -> Drawn:
    """Small surgical clips in a group."""
    x, y = rng.uniform(0.35, 0.65), rng.uniform(0.2, 0.7)
    wires = []
    for _ in range(int(rng.integers(3, 10))):
        spot = places.at(x + rng.normal(0, 0.05), y + rng.normal(0, 0.06))
        dx, dy = rng.normal(0, 0.008, 2)
        wires.append(Wire((spot, (spot[0] + dx, spot[1] + dy)), 1.2, rng.uniform(0.8, 1.5)))
    return wires, []


def _wires(places: ChestPlaces, rng: np.random.Generator) -> Drawn:
    """Loops that close the sternum after surgery, one above the other."""
    x = 0.5 + rng.normal(0, 0.01)
    plates = [
        Plate(
            places.at(x + rng.normal(0, 0.006), y + rng.normal(0, 0.01)),
            (rng.uniform(7, 11), rng.uniform(3, 6)),
            rng.normal(0, 15),
            rng.uniform(0.6, 1.2),
            outline_mm=1.0,
        )
        for y in np.linspace(0.1, 0.75, int(rng.integers(5, 8)))
    ]
    return [], plates


_DRAWERS = {
    "pacemaker": _pacemaker,
    "ecg": _ecg,
    "central_line": _central_line,
    "port": _port,
    "clips": _clips,
    "wires": _wires,
}
