"""The origins that have voxels: phantoms drawn from numbers, and CT volumes posed anew."""

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Lock
from typing import Final

import torch

from dfsynth.errors import DfsynthError, ErrorCode, ImageError
from dfsynth.records import MadePair, PairFacts, PairItem, Parameter, Subject
from dfsynth.simulation.ct import (
    CtCandidate,
    CtLimits,
    CtPose,
    CtThorax,
    build_thorax,
    draw_pose,
    list_volumes,
    read_volume,
)
from dfsynth.simulation.layers import ImageLayers, draw_layers
from dfsynth.simulation.origins.columns import (
    arrays_of,
    display_columns,
    parameters_of,
    scan_columns,
    tissue_columns,
)
from dfsynth.simulation.origins.input_files import fingerprint_files
from dfsynth.simulation.origins.origin import Drawing, Survey
from dfsynth.simulation.pair import make_pair
from dfsynth.simulation.phantom import BodyParameters, draw_body
from dfsynth.simulation.scene import Scene, pose_ct, pose_phantom
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue import TissueParameters, draw_tissue

_VOLUMES_KEPT: Final = 4
"""Segmented volumes in memory, about 200 MB each; a run over more takes them in turns."""
_PAIRS_A_TURN: Final = 8


class Phantoms:
    """Implements `Origin`: every pair a person of its own, named by what its body is drawn from."""

    def __init__(self, drawing: Drawing, seed: int, device: torch.device) -> None:
        self._drawing = drawing
        self._seed = seed
        self._device = device

    def survey(self, count: int) -> Survey:
        """See `Origin`."""
        names = (f"phantom-{self._seed}-{number:07d}" for number in range(count))
        lines = [Subject(name, "phantom", None, "none") for name in names]
        return Survey(lines, {}, (), by_number=True)

    def fingerprint(self) -> str:
        """See `Origin`."""
        return ""

    def make(self, item: PairItem) -> MadePair:
        """See `Origin`."""
        streams = Streams(item.seed)
        tissue = draw_tissue(streams, self._drawing.severity, self._drawing.without)
        body = draw_body(streams("body"))
        scene = pose_phantom(body, tissue, streams, self._drawing.size, self._device)
        return finish_pair(scene, self._drawing, streams, body_columns(body), None, ())


class Volumes:
    """Implements `Origin`: CT volumes, each in many poses."""

    def __init__(self, drawing: Drawing, root: Path, device: torch.device) -> None:
        self._drawing = drawing
        self._root = root
        self._device = device
        self._limits = CtLimits()
        self._thoraxes = _Kept(self._build)

    def survey(self, count: int) -> Survey:
        """See `Origin`. Reads and segments every volume, which takes some 10 s each."""
        listing = list_volumes(self._root)
        usable: list[CtCandidate] = []
        warnings: list[str] = []
        excluded: dict[str, int] = {}
        if listing.excluded:
            excluded["no_ct_volume"] = len(listing.excluded)
        for candidate in listing.candidates:
            try:
                self._thoraxes.get(candidate.key, candidate)
            except ImageError as error:
                warnings.append(f"--ct: {error}")
                excluded[error.code.value] = excluded.get(error.code.value, 0) + 1
            else:
                usable.append(candidate)
        warnings += [f"--ct: {path} left out: {why}" for path, why in listing.excluded]
        return Survey(_in_turns(usable, count), excluded, warnings)

    def fingerprint(self) -> str:
        """See `Origin`."""
        files = [file for c in list_volumes(self._root).candidates for file in c.files]
        names = (file.relative_to(self._root).as_posix() for file in files)
        return fingerprint_files(self._root, names)

    def make(self, item: PairItem) -> MadePair:
        """See `Origin`."""
        thorax = self._thorax_again(str(item.source))
        streams = Streams(item.seed)
        tissue = draw_tissue(streams, self._drawing.severity, self._drawing.without)
        pose = draw_pose(streams("pose"))
        scene = pose_ct(thorax, pose, tissue, streams, self._drawing.size)
        flags = ("lungs_cut",) if thorax.lungs_cut else ()
        return finish_pair(scene, self._drawing, streams, pose_columns(pose), thorax.sha256, flags)

    def _thorax_again(self, key: str) -> CtThorax:
        """Of a volume that could be used when the store was planned.

        Raises:
            DfsynthError: it cannot now; a failed row would stay.
        """
        try:
            return self._thoraxes.get(key, None)
        except torch.OutOfMemoryError:
            raise
        except (ImageError, OSError, RuntimeError) as error:
            why = str(error).removeprefix(f"{key}: ")
            raise DfsynthError(
                f"--ct: {key}: the volume was usable when the store was planned and is not now "
                f"({why}); bring it back, and run the same command again"
            ) from error

    def _build(self, key: str, candidate: CtCandidate | None) -> CtThorax:
        if candidate is None:
            found = {c.key: c for c in list_volumes(self._root).candidates}
            if key not in found:
                raise ImageError(ErrorCode.MISSING, f"{key}: it is not there")
            candidate = found[key]
        thorax = build_thorax(read_volume(candidate, self._limits), self._limits)
        return thorax.to(self._device)


def finish_pair(
    scene: Scene,
    drawing: Drawing,
    streams: Streams,
    columns: dict[str, Parameter],
    source_sha256: str | None,
    flags: tuple[str, ...],
) -> MadePair:
    """Projects a scene, images it, and says what was drawn."""
    body = scene.project(streams)
    layers = draw_layers(streams, drawing.kvp, drawing.devices, drawing.without)
    pair = make_pair(body, scene.beam.pixel_mm, layers, streams)
    facts = PairFacts(
        source_sha256=source_sha256,
        severity=severity_of(scene.tissue),
        laa950=body.facts.laa950,
        eps_bar_per_m=body.facts.eps_bar_per_m,
        sdf_m2=body.facts.sdf_m2,
        lung_volume_l=body.facts.volume_l,
        pixel_mm=pair.pixel_mm,
        kvp=layers.kvp,
        n0=photons_of(layers)[0],
        v0=photons_of(layers)[1],
        parameters=parameters_of(
            columns,
            tissue_columns(scene.tissue),
            scan_columns(layers.scan),
            display_columns(layers.display),
        ),
        flags=(*flags, *(f"device_{kind}" for kind in pair.devices)),
    )
    return MadePair(arrays_of(pair.maps), facts)


def severity_of(tissue: TissueParameters) -> float:
    """Of emphysema; 0 where the layer is off."""
    return 0.0 if tissue.emphysema is None else tissue.emphysema.severity


def photons_of(layers: ImageLayers) -> tuple[float | None, float | None]:
    """N0 and V0 of the scan; null without noise."""
    noise = layers.scan.noise
    return (None, None) if noise is None else (noise.photons, noise.visibility)


def body_columns(body: BodyParameters) -> dict[str, Parameter]:
    """Of a phantom."""
    return {
        "sex": "M" if body.sex == "male" else "F",
        "height_cm": body.height_cm,
        "bmi": body.bmi,
        "projection": str(body.projection),
        "inspiration": body.inspiration,
        "rotation_deg": body.rotation_deg,
    }


def pose_columns(pose: CtPose) -> dict[str, Parameter]:
    """Of a posed CT volume."""
    return {
        "projection": "AP" if pose.antero_posterior else "PA",
        "rotation_deg": pose.yaw_deg,
        "ct_inflation": pose.inflation,
        "ct_scale": pose.scale,
        "ct_width": pose.width,
        "ct_depth": pose.depth,
        "ct_height": pose.height,
        "ct_wall": pose.wall,
        "ct_heart": pose.heart,
    }


def _in_turns(usable: list[CtCandidate], count: int) -> list[Subject]:
    """Every volume in turn; many volumes for a few pairs each, so that memory holds them."""
    turn = 1 if len(usable) <= _VOLUMES_KEPT else _PAIRS_A_TURN
    chosen = (usable[number // turn % len(usable)] for number in range(count if usable else 0))
    return [Subject(f"ct:{c.patient}", "ct", c.key, c.license) for c in chosen]


class _Kept:
    """The last few segmented volumes; each is made once, however many threads ask for it."""

    def __init__(self, build: Callable[[str, CtCandidate | None], CtThorax]) -> None:
        self._build = build
        self._lock = Lock()
        self._kept: OrderedDict[str, Future[CtThorax]] = OrderedDict()

    def get(self, key: str, candidate: CtCandidate | None) -> CtThorax:
        """The thorax of a volume; what went wrong is not kept.

        Raises:
            ImageError: it cannot be used.
        """
        with self._lock:
            future = self._kept.get(key)
            mine = future is None
            if future is None:
                future = self._kept[key] = Future()
                while len(self._kept) > _VOLUMES_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
        if mine:
            try:
                future.set_result(self._build(key, candidate))
            except BaseException as error:
                future.set_exception(error)
                with self._lock:
                    # Who asks again finds no failure of the past.
                    if self._kept.get(key) is future:
                        del self._kept[key]
                raise
        return future.result()
