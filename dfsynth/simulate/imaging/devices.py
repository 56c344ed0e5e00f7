"""Things that are not the patient: pacemakers, cables, lines, clips. Metal, and no dark-field."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map

DeviceKind: TypeAlias = Literal["pacemaker", "ecg", "central_line", "port", "clips", "wires"]
DEVICE_KINDS: tuple[DeviceKind, ...] = (
    "pacemaker",
    "ecg",
    "central_line",
    "port",
    "clips",
    "wires",
)
_SHIFT = 4
_LEAST_MASK_MM = 0.05
_SPECK_SHARE = 0.15
Points: TypeAlias = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Wire:
    """A smooth line of metal; places are (x, y) shares of image width and height."""

    points: Points
    width_mm: float
    metal_mm: float
    """Along the ray, as iron."""


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
class DeviceParameters:
    """Everything that one patient wears or carries."""

    kinds: tuple[DeviceKind, ...]
    wires: tuple[Wire, ...]
    plates: tuple[Plate, ...]


@dataclass(frozen=True, slots=True)
class ChestPlaces:
    """Where things belong, as (x, y) shares of the image; the patient's left is at the right."""

    left: float
    """Outer edges and heights of the lungs' box."""
    right: float
    top: float
    bottom: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        """(0, 0) is the box's upper left corner, (1, 1) the lower right one."""
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


def draw_devices(
    places: ChestPlaces, rng: np.random.Generator, kinds: tuple[DeviceKind, ...] | None = None
) -> DeviceParameters:
    """One to three kinds of device, or exactly `kinds`, each at its place in the chest."""
    chosen = kinds
    if chosen is None:
        order = rng.permutation(len(DEVICE_KINDS))[: rng.integers(1, 4)]
        chosen = tuple(DEVICE_KINDS[index] for index in order)
    wires: list[Wire] = []
    plates: list[Plate] = []
    for kind in chosen:
        more_wires, more_plates = _DRAWERS[kind](places, rng)
        wires += more_wires
        plates += more_plates
    return DeviceParameters(chosen, tuple(wires), tuple(plates))


def lay_devices(
    shape: tuple[int, int], pixel_mm: float, parameters: DeviceParameters
) -> tuple[Float32Map, NDArray[np.bool_]]:
    """(metal_mm, mask), both (y, x): mm of iron along the rays, and where there is any."""
    metal = np.zeros(shape, np.float32)
    for wire in parameters.wires:
        metal = np.maximum(metal, wire.metal_mm * _stroke(shape, pixel_mm, wire))
    for plate in parameters.plates:
        metal = np.maximum(metal, plate.metal_mm * _disc(shape, pixel_mm, plate))
    return metal, metal > _LEAST_MASK_MM


def _stroke(shape: tuple[int, int], pixel_mm: float, wire: Wire) -> Float32Map:
    """Share of each pixel that the wire covers, (y, x)."""
    points = _smooth(np.asarray(wire.points) * (shape[1], shape[0]) - 0.5)
    width_px = wire.width_mm / pixel_mm
    canvas = np.zeros(shape, np.uint8)
    fixed = np.round(points * (1 << _SHIFT)).astype(np.int32)[:, None]
    thickness = max(1, round(width_px))
    cv2.polylines(canvas, [fixed], False, 255, thickness, cv2.LINE_AA, _SHIFT)
    # A wire finer than a pixel covers part of it.
    return np.asarray(canvas * np.float32(min(1.0, width_px) / 255), np.float32)


def _disc(shape: tuple[int, int], pixel_mm: float, plate: Plate) -> Float32Map:
    canvas = np.zeros(shape, np.uint8)
    scale = 1 << _SHIFT
    centre = tuple(
        round((share * size - 0.5) * scale)
        for share, size in zip(plate.centre, shape[::-1], strict=True)
    )
    axes = tuple(max(1, round(axis / pixel_mm * scale)) for axis in plate.axes_mm)
    thickness = -1 if plate.outline_mm is None else max(1, round(plate.outline_mm / pixel_mm))
    cv2.ellipse(
        canvas,
        centre,
        axes,
        plate.angle_degrees,
        0,
        360,
        255,
        thickness,
        cv2.LINE_AA,
        _SHIFT,
    )
    return np.asarray(canvas / np.float32(255), np.float32)


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
    """Three to five electrodes, each with a cable that leaves the picture."""
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
