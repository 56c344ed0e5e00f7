"""Pairs of bodies in the beam: a radiograph, with nodules or not, and what is left of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from dfsynth.options.simulate_tasks import RESTORATION
from dfsynth.preprocess import to_unit_range
from dfsynth.records import Float32Map, IntensityWindow, MadePair, PairFacts, Parameter
from dfsynth.simulation.columns import display_columns, merge_columns, tissue_columns
from dfsynth.simulation.display import frame_maps
from dfsynth.simulation.framed_body import frame_body, show_body
from dfsynth.simulation.layers import ImageLayers, draw_layers
from dfsynth.simulation.restoration.blurring import Blurring, pair_arrays
from dfsynth.simulation.restoration.nodule_places import place_nodules
from dfsynth.simulation.restoration.noduled_body import NoduledBody, PlacedNodule
from dfsynth.simulation.restoration.nodules import Nodule, draw_nodules, shape_nodule
from dfsynth.simulation.restoration.plain_look import standardise_look
from dfsynth.simulation.sampling import SamplingOptions
from dfsynth.simulation.scene import Scene
from dfsynth.simulation.streams import Streams

_SEEN_SHARE: Final = 0.2
"""Of a nodule's longest path: rays with less of it are outside its outline [assumed]."""
_DISEASE: Final = ("emphysema_apical_preference", "opacity", "opacity_patches")
"""What of the lung's tissue shows in a radiograph."""


@dataclass(frozen=True, slots=True)
class BlurredBodies:
    """Implements `SceneImaging`: the radiograph of a body is the target."""

    blurring: Blurring
    nodules: float
    """Share of bodies with any."""
    nodule_mm: tuple[float, float]
    """Least and greatest diameter."""

    def __call__(
        self,
        scene: Scene,
        options: SamplingOptions,
        streams: Streams,
        columns: Mapping[str, Parameter],
        source_sha256: str | None = None,
        flags: tuple[str, ...] = (),
    ) -> MadePair:
        """See `SceneImaging`. Nodules have streams of their own: without them (`nodules` 0) the
        same seed gives the same body, in the same frame and look.
        """
        nodules = draw_nodules(self.nodules, self.nodule_mm, streams("nodules"))
        noduled = _insert(nodules, scene, streams)
        body = replace(scene, anatomy=noduled).project(streams)
        layers = draw_layers(streams, options.kvp, options.implants, options.without)
        framed = frame_body(body, scene.beam.pixel_mm, layers, streams)
        image = to_unit_range(show_body(framed, layers), IntensityWindow())
        paths = _frame_paths(noduled.paths_mm, layers)
        labels = _label_nodules(paths, image.shape)
        whole = (slice(0, image.shape[0]), slice(0, image.shape[1]))
        shown = image
        if self.blurring.plain:
            shown = show_body(framed, replace(layers, display=None))
            image = standardise_look(image, whole)
        made = self.blurring.blur(shown, whole, streams)
        tissue = tissue_columns(scene.tissue)
        facts = PairFacts(
            source_sha256=source_sha256,
            severity=scene.tissue.severity,
            laa950=body.facts.laa950,
            lung_volume_l=body.facts.volume_l,
            pixel_mm=framed.pixel_mm,
            kvp=layers.kvp,
            parameters=merge_columns(
                columns,
                {name: tissue[name] for name in _DISEASE if name in tissue},
                display_columns(layers.display),
                made.columns,
                _nodule_columns(nodules, paths, labels, framed.lung_labels),
                task=RESTORATION,
            ),
            flags=(*flags, *(f"device_{kind}" for kind in framed.implants)),
        )
        return MadePair(pair_arrays(image, made.blurred, framed.lung_labels, labels), facts)


def _insert(nodules: Sequence[Nodule], scene: Scene, streams: Streams) -> NoduledBody:
    rng = streams("nodule places")
    middles = place_nodules(nodules, scene.anatomy, scene.beam, rng) if nodules else []
    placed = [
        PlacedNodule(shape_nodule(nodule), middle, 1 + nodule.density_hu / 1000)
        for nodule, middle in zip(nodules, middles, strict=True)
    ]
    return NoduledBody(scene.anatomy, placed, scene.beam)


def _frame_paths(paths_mm: torch.Tensor, layers: ImageLayers) -> list[Float32Map]:
    """Paths in each nodule (y, x) in mm, in the frame of the radiograph."""
    framing = None if layers.display is None else layers.display.framing
    maps = {str(number): path.numpy() for number, path in enumerate(paths_mm)}
    return list(frame_maps(maps, {}, framing).values())


def _label_nodules(paths: Sequence[Float32Map], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """(y, x): the number from 1 of the nodule in which a ray's path is longest; 0 outside all."""
    if not paths:
        return np.zeros(shape, np.uint8)
    stack = np.stack(paths)
    peaks = stack.max(axis=(1, 2), keepdims=True)
    seen = np.where(stack > _SEEN_SHARE * peaks, stack, 0)
    return np.where(seen.max(axis=0) > 0, seen.argmax(axis=0) + 1, 0).astype(np.uint8)


def _nodule_columns(
    nodules: Sequence[Nodule],
    paths: Sequence[Float32Map],
    labels: NDArray[np.uint8],
    lung: NDArray[np.uint8],
) -> dict[str, Parameter]:
    """One text a column, with a word for each nodule, in the order of their labels."""
    seen = [_look(labels == number, lung) for number in range(1, len(nodules) + 1)]
    listed: dict[str, list[str]] = {
        "nodule_diameter_mm": [f"{nodule.diameter_mm:.2f}" for nodule in nodules],
        "nodule_density_hu": [f"{nodule.density_hu:.0f}" for nodule in nodules],
        "nodule_margin": [nodule.margin for nodule in nodules],
        "nodule_row": [f"{row:.2f}" for row, _, _ in seen],
        "nodule_column": [f"{column:.2f}" for _, column, _ in seen],
        "nodule_place": [place for _, _, place in seen],
        "nodule_path_mm": [f"{path.max():.2f}" for path in paths],
    }
    return {
        "nodule_count": len(nodules),
        **{name: " ".join(words) for name, words in listed.items() if words},
    }


def _look(mask: NDArray[np.bool_], lung: NDArray[np.uint8]) -> tuple[float, float, str]:
    """Row and column of the middle of a nodule's outline, NaN where there is none; its place."""
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return float("nan"), float("nan"), "outside"
    in_field = float((lung[mask] == 1).mean()) >= 0.5
    return float(rows.mean()), float(columns.mean()), "field" if in_field else "hidden"
