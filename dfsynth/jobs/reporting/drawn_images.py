"""The maps of the images that a report shows, read from the store, and from the source."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from dfsynth.errors import StoreError
from dfsynth.jobs.image_sheet import SourceImages
from dfsynth.progress import Progress
from dfsynth.records import Float32Map
from dfsynth.report import columns_of_pairs, deviation_scale, robust_limits
from dfsynth.report.browser import GalleryMap, encode_maps, encode_strip
from dfsynth.store import ArrayReader
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.pairs_record import PairsRecord
from dfsynth.store.row_geometry import content_of
from dfsynth.threads.pool import result_of, thread_pool

Maps: TypeAlias = list[Float32Map | None]
Line: TypeAlias = dict[str, Any]

_SCALED_BY: Final = 48
"""Images from which the scale of uncertainty is taken."""
_TOTAL: Final = "uncertainty"
"""The kind of map that is one deviation of all that a store holds."""
_UNCERTAINTY: Final = ("aleatoric", "epistemic")
_GREY_LEVELS: Final = 126
"""Of a radiograph, whose noise would fill twice as many and take 27 % more room."""
_THREADS: Final = 2
_AT_ONCE: Final = 32


@dataclass(frozen=True, slots=True)
class MapReader:
    """Reads the maps that a page shows of one row."""

    kinds: tuple[GalleryMap, ...]
    read: Callable[[Line], Maps]
    """The maps (y, x) of a finished row, one for each kind; null where one cannot be had.

    Raises StoreError where the row's shard is damaged.
    """
    scaled: Mapping[int, Callable[[Line], Float32Map | None]] = field(default_factory=dict)
    """Which kinds have a scale that suits the store, and what reads their map alone."""


@dataclass(slots=True)
class DrawnImages:
    """Which rows have thumbnails, and what could not be read."""

    rows: list[int] = field(default_factory=list)
    """Of the store."""
    damaged: dict[int, str] = field(default_factory=dict)
    """Shard → what was wrong with it, as the first of its rows shows."""
    blank: int = 0
    """Images whose attenuation is neither stored nor in the source."""


def image_reader(
    arrays: ArrayReader, record: BuildRecord, source: SourceImages | None
) -> MapReader:
    """Attenuation, and what the store holds of dark-field and uncertainty.

    Uncertainty is the standard deviation of aleatoric and epistemic together.
    """
    held = [name for name in _UNCERTAINTY if name in arrays.names]
    task = record.task
    given, made = task.input, task.output.array

    def stored(name: str, line: Line) -> Float32Map:
        return arrays.read(name, line["row"]).astype(np.float32)[content_of(record, line)]

    def attenuation(line: Line) -> Float32Map | None:
        if given.array in arrays.names:
            return stored(given.array, line)
        image = None if source is None else source.read(line["row"])
        return None if image is None else image[content_of(record, line)]

    def uncertainty(line: Line) -> Float32Map:
        found = [stored(name, line) for name in held]
        return np.sqrt(np.sum(np.square(found), axis=0)).astype(np.float32)

    window = record.window
    kinds = [
        GalleryMap(given.array, task.input_title, "grey value", "gray", 0.0, 1.0, _GREY_LEVELS)
        if given.intensity is None
        else GalleryMap(
            given.array,
            task.input_title,
            task.input_array.shown_unit,
            "gray",
            *task.input_window(record.unit, window),
        )
    ]
    readers: list[Callable[[Line], Float32Map | None]] = [attenuation]
    if made in arrays.names:
        title = f"{task.output_title}, synthetic"
        kinds.append(GalleryMap(made, title, record.unit, "gray", *window))
        readers.append(partial(stored, made))
    if held:
        kinds.append(GalleryMap(_TOTAL, _uncertainty_title(held), record.unit, "cividis", 0.0, 1.0))
        readers.append(uncertainty)
    scaled: dict[int, Callable[[Line], Float32Map | None]] = {}
    if given.intensity is not None and task.input_array.brightest == "shown":
        scaled[0] = attenuation
    if held:
        scaled[len(kinds) - 1] = uncertainty
    return MapReader(tuple(kinds), lambda line: [read(line) for read in readers], scaled)


def pair_reader(arrays: ArrayReader, record: PairsRecord) -> MapReader:
    """What was simulated, and its truth; masks of integers have no picture here."""
    known = columns_of_pairs(record.task)
    masks = {array.name for array in record.task.array if array.dtype == "uint8"}
    names = [name for name in known if name in arrays.names and name not in masks]

    def read(line: Line) -> Maps:
        return [_stored_pair(arrays, name, line) for name in names]

    columns = [(name, known[name]) for name in names]
    suited = {array.name for array in record.task.array if array.brightest == "shown"}
    scaled = {
        index: partial(_stored_pair, arrays, name)
        for index, name in enumerate(names)
        if name in suited
    }
    return MapReader(
        tuple(GalleryMap(n, c.title, c.unit, c.colour_map, c.vmin, c.vmax) for n, c in columns),
        read,
        scaled,
    )


def _stored_pair(arrays: ArrayReader, name: str, line: Line) -> Float32Map:
    return arrays.read(name, line["row"]).astype(np.float32)


def scaled_kinds(reader: MapReader, lines: Sequence[Line]) -> tuple[GalleryMap, ...]:
    """The kinds of maps, uncertainty and what has no usual range on scales that suit these rows."""
    step = max(len(lines) // _SCALED_BY, 1)
    kinds = list(reader.kinds)
    for index, read in reader.scaled.items():
        values = []
        for line in lines[::step]:
            try:
                image = read(line)
            except StoreError:
                continue  # named when its image is drawn
            if image is not None:
                values.append(image.ravel()[::7])
        kinds[index] = _scaled(kinds[index], values)
    return tuple(kinds)


def _scaled(kind: GalleryMap, values: Sequence[Float32Map]) -> GalleryMap:
    if kind.name == _TOTAL:
        scale = deviation_scale(values, kind.unit)
        title = scale.titled(kind.title, "Uncertainty")
        return replace(kind, title=title, vmax=scale.top)
    top = robust_limits(np.concatenate(values))[1] if values else 1.0
    return replace(kind, vmax=top) if top > kind.vmin else kind


def draw_images(
    folder: Path,
    reader: MapReader,
    kinds: Sequence[GalleryMap],
    lines: Sequence[Line],
    progress: Progress,
) -> DrawnImages:
    """Writes strips and values of the rows `lines` of the manifest into `folder`.

    Rows that cannot be read are left out.

    Raises:
        OSError: the disk refuses.
    """
    (folder / "thumbs").mkdir()
    (folder / "full").mkdir()

    def write(row: int, maps: Maps) -> None:
        name = f"{row:07d}"
        (folder / f"thumbs/{name}.webp").write_bytes(encode_strip(maps, kinds))
        (folder / f"full/{name}.js").write_bytes(encode_maps(row, maps, kinds))

    drawn = DrawnImages()
    with thread_pool("report", _THREADS) as pool:
        for start in range(0, len(lines), _AT_ONCE):
            some = lines[start : start + _AT_ONCE]
            written = []
            for line in some:
                # Read by one thread: a source need not be safe for several.
                try:
                    maps = reader.read(line)
                except StoreError as error:
                    drawn.damaged.setdefault(line["shard"], str(error))
                    continue
                if any(values is not None for values in maps):
                    written.append(pool.submit(write, line["row"], maps))
                    drawn.rows.append(line["row"])
                    drawn.blank += any(values is None for values in maps)
            for done in written:
                result_of(done)
            progress.advance(len(some), 0)
    return drawn


def damage_sentences(damaged: Mapping[int, str], root: str) -> list[str]:
    """A sentence for each damaged shard, without the folder that the store lies in."""
    return [
        f"shard {shard}: {text.replace(f'{root}/', '')}" for shard, text in sorted(damaged.items())
    ]


def _uncertainty_title(held: Sequence[str]) -> str:
    if len(held) == 1:
        return f"Uncertainty: {held[0]}, standard deviation"
    return "Uncertainty: total standard deviation"
