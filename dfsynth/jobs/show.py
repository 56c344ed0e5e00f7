"""`dfsynth show`: a contact sheet of a store."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.decode import DecodeLimits, limits_of
from dfsynth.errors import StoreError, UsageError
from dfsynth.jobs.image_sheet import SourceImages, panels_of_images
from dfsynth.jobs.pair_sheet import panels_of_pairs
from dfsynth.report import contact_sheet, encode_png
from dfsynth.source import open_source
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.opened import Store, open_store
from dfsynth.store.pairs_record import PairsRecord


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
    max_pixels: int | None = None,
    max_bytes: int | None = None,
) -> Sheet:
    """Draws `images` images spread evenly over the store, or those named by `ids`, as a PNG.

    Attenuation comes from the store if it holds it, else from `source` and `root`, else it is
    left blank. Where the build raised `max_pixels` or `max_bytes`, so must this.

    Raises:
        UsageError: no store, an unknown id, nothing to draw yet, or a missing source.
        StoreError: a damaged store, or a contact sheet that cannot be written.
    """
    opened = open_store(store)
    lines = _choose(opened, images, ids)
    if isinstance(opened.record, PairsRecord):
        panels = panels_of_pairs(opened, opened.record, lines)
    else:
        limits = limits_of(max_pixels, max_bytes)
        images_of_source = _source_images(opened, opened.record, source, root, limits)
        panels = panels_of_images(opened, opened.record, lines, images_of_source)
    sheet = contact_sheet(
        panels.rows,
        panels.columns,
        title=f"{store.resolve().name}: {panels.title}",
        footer=panels.footer,
    )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(encode_png(sheet))
    except OSError as error:
        raise StoreError(
            f"cannot write the contact sheet {out}: {os.strerror(error.errno or 0)}"
        ) from error
    return Sheet(picture=out, images=tuple(line["image_id"] for line in lines), blank=panels.blank)


def _source_images(
    store: Store,
    record: BuildRecord,
    source: str | None,
    root: Path | None,
    limits: DecodeLimits,
) -> SourceImages | None:
    """None where there is no source, and where the store holds the radiographs itself."""
    if source is None or "attenuation" in store.maps:
        return None
    return SourceImages(store, record, open_source(source, root), limits)


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
