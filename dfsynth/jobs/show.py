"""`dfsynth show`: a contact sheet of a store."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.errors import StoreError, UsageError
from dfsynth.jobs.image_sheet import panels_of_images
from dfsynth.jobs.pair_sheet import panels_of_pairs
from dfsynth.report import contact_sheet, encode_png
from dfsynth.source import open_source
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
    if isinstance(opened.record, PairsRecord):
        panels = panels_of_pairs(opened, opened.record, lines)
    else:
        # A store that holds the radiographs needs no source.
        needed = None if "attenuation" in opened.maps else source
        radiographs = None if needed is None else open_source(needed, root)
        panels = panels_of_images(opened, opened.record, lines, radiographs)
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
            f"cannot write the picture {out}: {os.strerror(error.errno or 0)}"
        ) from error
    return Sheet(picture=out, images=tuple(line["image_id"] for line in lines), blank=panels.blank)


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
