"""What a corpus's table and split lists say of its images."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.errors import UsageError
from dfsynth.source import columns, metadata
from dfsynth.source.corpus import Corpus, CorpusTable, SplitList
from dfsynth.source.order import require_unique
from dfsynth.source.schema import LISTING_SCHEMA, ChunkedColumn, Column

_TEXTS: Final = ("patient_id", "view", "sex", "split")
_SIZES: Final = (("width_mm", "width_px", "pitch_x_mm"), ("height_mm", "height_px", "pitch_y_mm"))


@dataclass(frozen=True, slots=True)
class Facts:
    """Ids with facts from the table, ids with their split, and what was wanting."""

    ids: Column
    facts: Mapping[str, Column]
    split_ids: Column
    splits: Column
    complaints: tuple[str, ...]
    has_table: bool
    has_all_lists: bool

    @classmethod
    def load(cls, corpus: Corpus, root: Path) -> "Facts":
        """Reads the newest table and the split lists that lie below the root.

        Raises:
            UsageError: a table or list that cannot be read or contradicts itself.
        """
        complaints: list[str] = []
        ids: Column = pa.array([], pa.string())
        facts: dict[str, Column] = {}
        table = _find_table(corpus, root, complaints)
        if table is not None and corpus.table is not None:
            ids, facts = _read_table(table, corpus.table, complaints)
        split_ids, splits = _read_lists(corpus, root, complaints)
        return cls(
            ids,
            facts,
            split_ids,
            splits,
            tuple(complaints),
            has_table=table is not None,
            has_all_lists=bool(corpus.splits)
            and all((root / part.file).is_file() for part in corpus.splits),
        )

    def about(self, ids: Column) -> dict[str, Column]:
        """The columns of a listing for these ids; null where nothing is said."""
        places = pc.index_in(ids, value_set=self.ids)
        known = {name: values.take(places) for name, values in self.facts.items()}
        if len(self.split_ids):
            known["split"] = self.splits.take(pc.index_in(ids, value_set=self.split_ids))
        return known

    def count_beyond(self, ids: ChunkedColumn) -> int:
        """How many images the table names that are not among `ids`."""
        if not len(self.ids):
            return 0
        return len(self.ids) - _count(pc.is_in(self.ids, value_set=ids))

    def warnings(self, table: pa.Table) -> tuple[str, ...]:
        """What the user should know, given the listing."""
        sentences = list(self.complaints)
        ids = table.column("image_id")
        if beyond := self.count_beyond(ids):
            sentences.append(
                f"{beyond} of the {len(self.ids)} images in the table are not on disk; a part of "
                "the corpus is enough"
            )
        if self.has_table and (unknown := len(ids) - (len(self.ids) - beyond)):
            sentences.append(
                f"{unknown} images on disk are not in the table; their patient, view, sex, age, "
                "findings and size are null"
            )
        if self.has_all_lists and (outside := table.column("split").null_count):
            sentences.append(f"{outside} images are in none of the lists; their split is null")
        return tuple(sentences)


def _count(mask: Column) -> int:
    return int(np.count_nonzero(mask.to_numpy(zero_copy_only=False)))


def _find_table(corpus: Corpus, root: Path, complaints: list[str]) -> Path | None:
    if corpus.table is None:
        return None
    found = next((root / file for file in corpus.table.files if (root / file).is_file()), None)
    if found is None:
        lost = [name for name in LISTING_SCHEMA.names[4:] if name in _given_facts(corpus.table)]
        complaints.append(
            f"the table {' or '.join(corpus.table.files)} is not in the root; "
            f"{', '.join(lost)} are null"
        )
    return found


def _given_facts(table: CorpusTable) -> set[str]:
    sizes = {size for size, pixels, _ in _SIZES if pixels in table.columns}
    return set(table.columns) | sizes


def _read_table(
    path: Path, layout: CorpusTable, complaints: list[str]
) -> tuple[Column, dict[str, Column]]:
    raw = _raw_columns(path, layout, complaints)
    raw = {name: values.filter(pc.is_valid(raw["image_id"])) for name, values in raw.items()}
    ids = raw.pop("image_id")
    require_unique(pa.chunked_array([ids]), f"the table {path.name}")
    unread: Counter[str] = Counter()
    facts: dict[str, Column] = {name: raw[name] for name in _TEXTS if name in raw}
    if "age" in raw:
        facts["age"], unread["age"] = columns.ages(raw["age"], layout.oldest_years)
    if "findings" in raw:
        facts["findings"] = columns.findings(raw["findings"], layout.findings_separators)
    for size, pixels, pitch in _SIZES:
        if (length := _length(raw, size, pixels, pitch, unread)) is not None:
            facts[size] = length.cast(pa.float32(), safe=False)
    complaints.extend(columns.unread_sentences(unread, layout.oldest_years))
    return ids, facts


def _raw_columns(path: Path, layout: CorpusTable, complaints: list[str]) -> dict[str, Column]:
    by_key = {metadata.key(header): header for header in metadata.headers(path)}
    wanted: dict[str, str] = {}
    for name, candidates in layout.columns.items():
        keys = (metadata.key(header) for header in candidates)
        header = next((by_key[key] for key in keys if key in by_key), None)
        if header is not None:
            wanted[name] = header
        elif name == "image_id":
            raise UsageError(
                f"the table {path.name} has no column of image ids: found "
                f"{', '.join(map(repr, by_key.values()))}; expected {' or '.join(candidates)}"
            )
        else:
            complaints.append(f"the table {path.name} has no column {' or '.join(candidates)}")
    chunks = list(metadata.read_columns(path, wanted))
    if not chunks:
        return {name: pa.array([], pa.string()) for name in wanted}
    return {name: pa.concat_arrays([chunk[name] for chunk in chunks]) for name in wanted}


def _length(
    raw: Mapping[str, Column], size: str, pixels: str, pitch: str, unread: Counter[str]
) -> Column | None:
    """Millimetres as the table gives them, else pixels × millimetres per pixel."""
    if size in raw:
        length, unread[size] = columns.lengths(raw[size])
        return length
    if pixels not in raw or pitch not in raw:
        return None
    count, unread[pixels] = columns.lengths(raw[pixels])
    step, unread[pitch] = columns.lengths(raw[pitch])
    return pc.multiply(count, step)


def _read_lists(corpus: Corpus, root: Path, complaints: list[str]) -> tuple[Column, Column]:
    split_of: dict[str, str] = {}
    for part in corpus.splits:
        if not (root / part.file).is_file():
            complaints.append(
                f"the list {part.file} is not in the root; split is null for the images of "
                f"{part.split!r}"
            )
            continue
        for image_id in _ids_in(root, part):
            other = split_of.setdefault(image_id, part.split)
            if other != part.split:
                raise UsageError(
                    f"the image {image_id!r} is in the lists of both {other!r} and "
                    f"{part.split!r}; expected it in one: fetch the lists again"
                )
    return pa.array(split_of.keys(), pa.string()), pa.array(split_of.values(), pa.string())


def _ids_in(root: Path, part: SplitList) -> list[str]:
    try:
        content = (root / part.file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            f"cannot read the list {part.file}: expected one image id a line, in UTF-8; fetch it "
            "again"
        ) from None
    return [line.strip() for line in content.splitlines() if line.strip()]
