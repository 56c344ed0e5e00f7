"""What a corpus's tables, lists and paths say of its images, joined."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.counted_nouns import counted
from dfsynth.errors import UsageError
from dfsynth.files.object_path import AnyPath
from dfsynth.files.row_spool import RowSpool
from dfsynth.source import columns
from dfsynth.source.corpus import Corpus, CorpusTable
from dfsynth.source.corpus_table import TableFacts, find_files, read_table, type_facts
from dfsynth.source.labels import FINDING_LISTS, LISTS, POSITIVE, FindingPairs, list_pairs
from dfsynth.source.named_files import files_below
from dfsynth.source.problems import Complaint
from dfsynth.source.schema import Column
from dfsynth.source.sidecars import read_sidecars
from dfsynth.source.split_lists import SplitLists

_NULL_FACTS: Final = {
    "width_px": "width_mm",
    "height_px": "height_mm",
    "birth_year": "age",
    "pitch_x_mm": "width_mm",
    "pitch_y_mm": "height_mm",
    "study_date": "age",
}
"""Columns that only serve another one."""


@dataclass(frozen=True, slots=True)
class Matches:
    """How the images on disk and the tables of images meet."""

    place: str
    """The tables."""
    rows: int
    """Images that they name."""
    beyond: int
    """Of these, not on disk."""
    unnamed: int
    """Images on disk that they do not name."""

    def remarks(self) -> tuple[str, ...]:
        """What is normal, and worth a word."""
        if not self.beyond:
            return ()
        return (
            f"not on disk: {self.beyond} of {counted(self.rows, 'image')} in the table; a part of "
            "the corpus is enough",
        )


@dataclass(frozen=True, slots=True)
class Joined:
    """What is said of images, one entry each."""

    known: Mapping[str, Column]
    """By columns of a listing."""
    reasons: Column
    """Why an image is left out, by table or by name; null for those that stay."""
    matches: Matches


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is said of images, and what was wanting."""

    corpus: Corpus
    root: AnyPath
    tables: tuple[TableFacts, ...]
    lists: SplitLists
    complaints: tuple[Complaint, ...]

    @classmethod
    def load(cls, corpus: Corpus, root: AnyPath) -> "Facts":
        """Reads the tables and split lists that lie below the root.

        Raises:
            UsageError: a required table is not there, or a table or list cannot be read or
                contradicts itself.
            DfsynthError: the object store that holds them refuses.
        """
        complaints: list[Complaint] = []
        tables = []
        there = files_below(root)
        for table in corpus.tables:
            files = find_files(table, there)
            if files:
                tables.append(read_table(corpus, table, files, root))
            elif table.need == "required":
                raise UsageError(
                    f"the corpus {corpus.name} lacks its table {table.title} in {root}: expected "
                    "it there, for it tells the images apart; fetch it (`dfsynth sources show` "
                    "says where from), or give the folder that holds it as --root"
                )
            elif table.need == "expected":
                complaints.append(Complaint(_lost(table)))
        lists = SplitLists.load(corpus, there)
        complaints.extend(c for table in tables for c in table.complaints)
        return cls(corpus, root, tuple(tables), lists, (*complaints, *lists.complaints))

    def join(self, images: Mapping[str, Column]) -> Joined:
        """What is said of images, all at once.

        Args:
            images: `id`, and what else templates may name of an image.
        """
        rows = len(images["id"])
        known: dict[str, Column] = {}
        reasons = self._known_reasons(images["id"])
        for table in self.tables:
            places = pc.index_in(table.image.fill(images, rows), value_set=table.keys)
            _fill(known, {name: values.take(places) for name, values in table.facts.items()})
            reasons = pc.coalesce(reasons, table.reasons.take(places))
        for sidecar in self.corpus.sidecars:
            _fill(known, self._typed(read_sidecars(sidecar, self.root, images, rows), rows))
        layout = self.corpus.images
        said = {name: template.fill(images, rows) for name, template in layout.facts.items()}
        _fill(known, self._typed(said, rows))
        split = self.lists.about(images, rows)
        if split is not None:
            known["split"] = split if "split" not in known else pc.coalesce(split, known["split"])
        return Joined(known, reasons, self._matches(images, rows))

    def _known_reasons(self, ids: Column) -> Column:
        """Why images are left out by name; null for the others."""
        reasons: Column = pa.nulls(len(ids), pa.string())
        for known in self.corpus.exclude:
            named = pc.is_in(ids, value_set=pa.array(sorted(known.ids), pa.string()))
            why = pc.if_else(named, pa.scalar(known.reason), pa.scalar(None, pa.string()))
            reasons = pc.coalesce(reasons, why)
        return reasons

    def _matches(self, images: Mapping[str, Column], rows: int) -> Matches:
        """How images and tables meet.

        Those tables count that are joined as the first is, so none that is of studies where the
        first is of images.
        """
        tables = [t for t in self.tables if t.image.text == self.tables[0].image.text]
        if not tables:
            return Matches("", 0, 0, 0)
        keys = tables[0].image.fill(images, rows)
        named: Column = pc.unique(pa.concat_arrays([table.keys for table in tables]))
        beyond = len(named) - _count(pc.is_in(named, value_set=keys))
        unnamed = rows - _count(pc.is_in(keys, value_set=named))
        return Matches(" or ".join(t.place for t in tables), len(named), beyond, unnamed)

    def wanting(self, matches: Matches, listed: RowSpool) -> tuple[Complaint, ...]:
        """What images lack that others have."""
        found = []
        if matches.unnamed:
            found.append(
                Complaint(
                    f"{counted(matches.unnamed, 'image on disk is', 'images on disk are')} not in "
                    f"the table {matches.place}; what it says of others is null"
                )
            )
        if self.lists.complete and (outside := listed.column("split").null_count):
            found.append(
                Complaint(
                    f"{counted(outside, 'image is', 'images are')} in none of the lists; their "
                    "split is null"
                )
            )
        return tuple(found)

    def _typed(self, raw: Mapping[str, Column], rows: int) -> dict[str, Column]:
        """What paths and sidecars say, as columns of a listing."""
        texts = {name: values for name, values in raw.items() if name != POSITIVE}
        facts = type_facts(texts, self.corpus, columns.OLDEST_YEARS, "the paths", [])
        if POSITIVE in raw:
            words = self.corpus.words.get(POSITIVE, {})
            pairs = FindingPairs()
            pairs.add(
                *list_pairs(columns.translate_lists(_lists(raw[POSITIVE]), words), np.arange(rows))
            )
            facts[POSITIVE] = pairs.lists(rows)
        return facts


def _lists(values: Column) -> Column:
    """A list for each text, if these are no lists yet."""
    if columns.is_lists(values):
        return values
    said = pc.is_valid(values).to_numpy(zero_copy_only=False)
    ends = pa.array(np.concatenate([[0], np.cumsum(said)]), pa.int32())
    # A null list must hold no text: Arrow counts it as a parent, but leaves its texts out.
    texts = values.drop_null()
    return pa.ListArray.from_arrays(ends, texts, type=LISTS, mask=pa.array(~said))


def _count(mask: Column) -> int:
    return int(pc.sum(mask).as_py() or 0)


def _fill(known: dict[str, Column], more: Mapping[str, Column]) -> None:
    """Adds facts where nothing is known yet; lists of findings go together or not at all."""
    for name, values in more.items():
        if name in FINDING_LISTS:
            continue
        known[name] = pc.coalesce(known[name], values) if name in known else values
    lists = {name: more[name] for name in FINDING_LISTS if name in more}
    held = [known[name] for name in FINDING_LISTS if name in known]
    if not lists:
        return
    if not held:
        known.update(lists)
        return
    said = pc.is_valid(held[0])
    for other in held[1:]:
        said = pc.or_(said, pc.is_valid(other))
    nothing = pa.nulls(len(said), pa.list_(pa.string()))
    for name in FINDING_LISTS:
        if name in known or name in lists:
            known[name] = pc.if_else(said, known.get(name, nothing), lists.get(name, nothing))


def _lost(table: CorpusTable) -> str:
    """The sentence on a table that is not there."""
    lost = [_NULL_FACTS.get(name, name) for name in table.columns]
    if table.labels is not None:
        lost.extend(FINDING_LISTS)
    names = ", ".join(dict.fromkeys(lost)) or "what it says"
    return f"the table {table.title} is not in the root; {names} are null"
