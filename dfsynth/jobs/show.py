"""`dfsynth show`: a contact sheet of a store."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dfsynth.decode import limits_of
from dfsynth.errors import UsageError
from dfsynth.files.faults import store_faults
from dfsynth.files.object_path import AnyPath, ObjectPath
from dfsynth.files.output_file import writing_output
from dfsynth.jobs.build_source import open_inputs
from dfsynth.jobs.empty_store import nothing_finished
from dfsynth.jobs.image_sheet import SourceImages, panels_of_images
from dfsynth.jobs.pair_sheet import panels_of_pairs
from dfsynth.jobs.ranking import Ranking, rank_ends
from dfsynth.jobs.sheet_content import Panels
from dfsynth.jobs.truth_images import TruthImages
from dfsynth.manifest import default_score, matching_rows, require_learned
from dfsynth.options import ShowOptions
from dfsynth.report import contact_sheet, encode_image
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.opened import Store, open_store
from dfsynth.store.pairs_record import PairsRecord
from dfsynth.store.remote import opened_layout
from dfsynth.store.surroundings import require_outside_stores

_WHAT: Final = "the contact sheet"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was drawn."""

    picture: Path
    images: tuple[str, ...]
    """In reading order."""
    blank: int
    """Finished images whose input is left blank: neither store nor source gives it."""
    ranking: Ranking | None = None
    """What stands beside what; null where nothing was ranked."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """The rows of the manifest to draw, and how they were ranked, if they were."""

    lines: list[dict[str, Any]]
    ranking: Ranking | None = None


def draw_sheet(options: ShowOptions) -> Sheet:
    """Draws images of a store as one image: spread evenly over it, named, or both ends of a score.

    Inputs come from the store if it holds them, else from `source` and `root`, else they are
    left blank.

    Raises:
        UsageError: no store, an unknown id, column or condition, nothing to draw yet, a missing
            source, or an image that would lie in a store or replace what is no regular file.
        StoreError: a damaged store, or a contact sheet that cannot be written.
    """
    opened = open_store(options.store)
    out = options.image_file
    require_outside_stores(out, _WHAT)
    choice = _choose(opened, options)
    panels, ranking = _panels(opened, choice, options), choice.ranking
    sheet = contact_sheet(
        panels.rows,
        panels.columns,
        title=f"{_name_of(options.store)}: {panels.title}",
        footer=panels.footer if ranking is None else f"{panels.footer} {ranking.describe()}",
        blocks=() if ranking is None else _blocks(ranking),
    )
    _write(out, sheet)
    drawn = tuple(line["image_id"] for line in choice.lines)
    return Sheet(out, drawn, panels.blank, ranking)


def _write(out: Path, sheet: NDArray[np.uint8]) -> None:
    try:
        encoded = encode_image(sheet, out.suffix.lower())
    except ValueError as error:
        raise UsageError(f"--out {out}: {error}; draw fewer images, or a .png") from error
    with store_faults(f"make the folder {out.parent}"):
        out.parent.mkdir(parents=True, exist_ok=True)
    with writing_output(out, _WHAT) as stream:
        stream.write(encoded)


def _name_of(store: AnyPath) -> str:
    # Resolved, since `.` has no name.
    return store.name if isinstance(store, ObjectPath) else store.resolve().name


def _panels(store: Store, choice: _Choice, options: ShowOptions) -> Panels:
    by = None if choice.ranking is None else choice.ranking.by
    if isinstance(store.record, PairsRecord):
        if options.truth is not None:
            raise UsageError(f"--truth: {store.path} holds pairs, whose truth is drawn already")
        return panels_of_pairs(store, store.record, choice.lines, by)
    images = _source_images(store, store.record, options)
    shown = by or default_score(store.manifest)
    truths = None if options.truth is None else TruthImages(options.truth, store.record.task)
    panels = panels_of_images(store, store.record, choice.lines, shown, images, truths)
    if truths is not None and not any(row.images[-1] is not None for row in panels.rows):
        raise UsageError(
            f"--truth {options.truth} holds no pair that an image drawn is named after, such as "
            f"{choice.lines[0]['image_id']!r}; give the store that the inputs were taken from"
        )
    return panels


def _blocks(ranking: Ranking) -> tuple[str, str]:
    worst, best = len(ranking.worst), len(ranking.best)
    return (
        f"Worst {worst}: {ranking.worst_is} {ranking.by}",
        f"Best {best}: {ranking.best_is} {ranking.by}",
    )


def _source_images(store: Store, record: BuildRecord, options: ShowOptions) -> SourceImages | None:
    """None where there is no source, and where the store holds the radiographs itself."""
    if options.source is None or record.task.input.array in store.maps:
        return None
    limits = limits_of(options.max_pixels, options.max_bytes)
    source = open_inputs(options.source, options.root, record.intensity)
    with opened_layout(store.path) as layout:
        return SourceImages(layout, record, source, limits)


def _choose(store: Store, options: ShowOptions) -> _Choice:
    table, schema, task = store.manifest, store.record.manifest_schema, store.record.task.name
    if options.ids:
        chosen = table.filter(pc.is_in(table["image_id"], pa.array(options.ids, pa.string())))
        missing = set(options.ids) - set(chosen["image_id"].to_pylist())
        if missing:
            raise UsageError(f"no image {sorted(missing)[0]!r} in the store's committed shards")
        return _Choice(chosen.to_pylist())
    if options.where is not None:
        table = matching_rows(table, options.where, schema, task)
    done = _finished(table)
    if done.num_rows == 0:
        raise UsageError(_nothing_to_draw(store, options.where))
    if options.worst is not None:
        by = options.by or default_score(store.manifest)
        require_learned(_finished(store.manifest), (by,), schema, task)
        ranking, lines = rank_ends(table, by, options.worst)
        return _Choice(lines, ranking)
    at = np.unique(np.linspace(0, done.num_rows - 1, options.images).round().astype(np.int64))
    return _Choice(done.take(at).to_pylist())


def _finished(table: pa.Table) -> pa.Table:
    return table.filter(pc.equal(table["status"], pa.scalar("ok")))


def _nothing_to_draw(store: Store, where: str | None) -> str:
    if where is None:
        return nothing_finished(store.path, store.record.cut.inputs, store.manifest.num_rows)
    return f"no finished image of {store.path} meets --where {where!r}; expected one or more"
