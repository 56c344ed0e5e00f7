"""`dfsynth show`: a contact sheet of a store."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.access.opened import Store, open_store
from dfsynth.decode import DecodeLimits, decode
from dfsynth.errors import ImageError, StoreError, UsageError
from dfsynth.pipeline.plan import Plan
from dfsynth.preprocess import prepare
from dfsynth.records import Float32Map, Geometry, IntensityWindow
from dfsynth.report import SheetColumn, SheetRow, contact_sheet, encode_png, robust_limits
from dfsynth.source import Source, open_source
from dfsynth.store import StoreLayout

_COLUMNS: Final = ("attenuation", "dark_field", "aleatoric", "epistemic")
_COLOUR_MAPS: Final = ("gray", "gray", "viridis", "inferno")


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was drawn."""

    picture: Path
    images: tuple[str, ...]
    blank: int
    """Finished images whose attenuation is left blank: neither store nor source gives it."""


def draw_sheet(
    store: Path,
    out: Path,
    images: int,
    ids: Sequence[str] = (),
    source: str | None = None,
    root: Path | None = None,
) -> Sheet:
    """Draws `images` images spread evenly over the store, or those named by `ids`, as a PNG.

    Attenuation comes from the store if it holds it, else from `source` and `root`, else it is
    left blank.

    Raises:
        UsageError: no store, an unknown id, nothing to draw yet, or a missing source.
        StoreError: a damaged store, or a picture that cannot be written.
    """
    opened = open_store(store)
    lines = _choose(opened, images, ids)
    radiographs = None
    if "attenuation" not in opened.maps and source is not None:
        radiographs = Radiographs(opened, open_source(source, root))
    pictures = [_pictures(opened, line, radiographs) for line in lines]
    sheet = contact_sheet(
        [_row(line, maps) for line, maps in zip(lines, pictures, strict=True)],
        _columns(opened, pictures),
        title=f"{store.resolve().name}: {opened.record.checkpoint}",
        footer="Synthetic dark-field images, not for diagnosis.",
    )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(encode_png(sheet))
    except OSError as error:
        raise StoreError(
            f"cannot write the picture {out}: {os.strerror(error.errno or 0)}"
        ) from error
    return Sheet(
        picture=out,
        images=tuple(line["image_id"] for line in lines),
        blank=sum(
            line["status"] == "ok" and "attenuation" not in maps
            for line, maps in zip(lines, pictures, strict=True)
        ),
    )


class Radiographs:
    """The input pictures, read again from their source into the store's grid."""

    def __init__(self, store: Store, source: Source) -> None:
        held = store.record.fingerprint
        self._source = source
        self._grid = held.size
        self._window = IntensityWindow(*store.record.intensity)
        self._shard_size = held.shard_size
        self._plan = Plan(StoreLayout(store.path).plan, held.shard_size)

    def read(self, row: int) -> Float32Map | None:
        """(y, x) of the grid in [0, 1]; None where the source no longer gives the picture."""
        shard, index = divmod(row, self._shard_size)
        item = self._plan.items(shard)[index]
        limits = DecodeLimits()
        try:
            decoded = decode(self._source.read(item, limits.max_bytes), limits)
        except ImageError:
            return None
        return prepare(decoded, self._grid, self._window).image


def _choose(store: Store, images: int, ids: Sequence[str]) -> list[dict[str, Any]]:
    table = store.manifest
    if ids:
        chosen = table.filter(pc.is_in(table["image_id"], pa.array(list(ids), pa.string())))
        missing = set(ids) - set(chosen["image_id"].to_pylist())
        if missing:
            raise UsageError(f"no image {sorted(missing)[0]!r} in the store's committed shards")
        return chosen.to_pylist()
    done = table.filter(pc.equal(table["status"], pa.scalar("ok")))
    if done.num_rows == 0:
        raise UsageError(f"{store.path} holds no finished image yet; let the build commit a shard")
    at = np.unique(np.linspace(0, done.num_rows - 1, images).round().astype(np.int64))
    return done.take(at).to_pylist()


def _pictures(
    store: Store, line: dict[str, Any], radiographs: Radiographs | None
) -> dict[str, Float32Map]:
    """The content (padding cut off) of each map that can be had."""
    content = _content(store, line)
    found: dict[str, Float32Map] = {}
    for name in _COLUMNS:
        if name in store.maps:
            found[name] = store.read(name, line["row"]).astype(np.float32)[content]
        elif name == "attenuation" and radiographs is not None:
            picture = radiographs.read(line["row"])
            if picture is not None:
                found[name] = picture[content]
    return found


def _content(store: Store, line: dict[str, Any]) -> tuple[slice, slice]:
    if line["status"] != "ok":
        return slice(None), slice(None)
    height, width = store.record.fingerprint.size
    return Geometry(
        source_height=line["height"],
        source_width=line["width"],
        grid_height=height,
        grid_width=width,
        top=int(line["offset_y"]),
        left=int(line["offset_x"]),
        height=round(line["height"] * line["scale_y"]),
        width=round(line["width"] * line["scale_x"]),
    ).content


def _columns(store: Store, pictures: Sequence[dict[str, Float32Map]]) -> list[SheetColumn]:
    unit = store.record.unit
    limits = {"attenuation": (0.0, 1.0), "dark_field": store.record.window}
    for name in ("aleatoric", "epistemic"):
        values = [p[name].ravel() for p in pictures if name in p]
        top = robust_limits(np.concatenate(values))[1] if values else 1.0
        limits[name] = (0.0, float(top))
    units = {"attenuation": "grey value", "dark_field": unit}
    return [
        SheetColumn(
            title=name.replace("_", "-") + ("" if name in units else " (standard deviation)"),
            unit=units.get(name, unit),
            colour_map=colours,
            vmin=limits[name][0],
            vmax=limits[name][1],
        )
        for name, colours in zip(_COLUMNS, _COLOUR_MAPS, strict=True)
    ]


def _row(line: dict[str, Any], maps: dict[str, Float32Map]) -> SheetRow:
    caption = [line["image_id"]]
    if line["uncertainty"] is not None:
        caption.append(f"uncertainty {line['uncertainty']:.3f}")
    caption += line["flags"]
    images = tuple(maps.get(name) for name in _COLUMNS)
    return SheetRow(tuple(caption), images, failure=line["error_code"])
