"""A published corpus on disk: images in its folders, facts in its table and lists."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.records import SourceItem
from dfsynth.source import exclusion
from dfsynth.source.corpus import Corpus
from dfsynth.source.facts import Facts
from dfsynth.source.order import in_byte_order, require_unique
from dfsynth.source.reading import read_below
from dfsynth.source.schema import CHUNK_ROWS, Column, Listing, ListingBuilder
from dfsynth.source.walk import FolderWalk


@dataclass(frozen=True, slots=True)
class CorpusSource:
    """The images of `corpus` below `root`, by the bytes of their ids."""

    corpus: Corpus
    root: Path

    @property
    def name(self) -> str:
        return self.corpus.name

    @property
    def license(self) -> str:
        return self.corpus.license

    @property
    def watched(self) -> tuple[Path, ...]:
        """See `Source`."""
        return (self.root,)

    def listing(self) -> Listing:
        """Every image on disk, with what table and lists say of it.

        A part of a corpus is enough: what the table has beyond it is counted, not missed.

        Raises:
            UsageError: no images, an id that comes twice, or a table or list that does not fit.
        """
        walk = FolderWalk(self.root)
        excluded: Counter[str] = Counter()
        chunks = list(self._images(walk, excluded))
        excluded.update(walk.excluded)
        found = {
            "image_id": pa.chunked_array([ids for ids, _ in chunks], pa.string()),
            "uri": pa.chunked_array([uris for _, uris in chunks], pa.string()),
        }
        where = f"the corpus {self.name} below {self.root}"
        exclusion.require_images(len(found["image_id"]), where, excluded)
        require_unique(found["image_id"], f"the corpus {self.name}")
        facts = Facts.load(self.corpus, self.root)
        builder = ListingBuilder()
        for chunk in in_byte_order(found):
            builder.add({**chunk, **facts.about(chunk["image_id"])})
        table = builder.table()
        if absent := facts.count_beyond(table.column("image_id")):
            excluded[exclusion.NOT_ON_DISK] = absent
        warnings = (*walk.warnings(), *facts.warnings(table))
        return Listing(table, dict(excluded), warnings)

    def _images(self, walk: FolderWalk, excluded: Counter[str]) -> Iterator[tuple[Column, Column]]:
        """Ids and paths of what lies in the folders of images and has a suffix of images."""
        in_folder = folder_pattern(self.corpus.folders)
        suffixes = tuple(self.corpus.suffixes)
        for paths in walk.blocks():
            kept = []
            for path in paths:
                name = path[path.rfind("/") + 1 :]
                if not name.lower().endswith(suffixes):
                    excluded[f"unexpected_suffix:{Path(name).suffix.lower()}"] += 1
                elif not in_folder.fullmatch(path, 0, len(path) - len(name)):
                    excluded[exclusion.OUTSIDE_IMAGE_FOLDERS] += 1
                else:
                    kept.append(path)
            for start in range(0, len(kept), CHUNK_ROWS):
                uris = pa.array(kept[start : start + CHUNK_ROWS], pa.string())
                yield self._ids(uris), uris

    def _ids(self, uris: Column) -> Column:
        if self.corpus.id_from == "path":
            return uris
        names = pc.replace_substring_regex(uris, r"^.*/", "")
        if self.corpus.id_from == "file_name":
            return names
        return pc.replace_substring_regex(names, r"\.[^.]*$", "")

    def read(self, item: SourceItem, max_bytes: int) -> bytes:
        """The file's bytes; safe from any thread.

        Raises:
            ImageError: missing, unreadable, too_large, empty.
            DfsynthError: the root itself is gone.
        """
        return read_below(self.root, item.uri, max_bytes)


def folder_pattern(folders: tuple[str, ...]) -> re.Pattern[str]:
    """A pattern for the folders of images, each with its last `/`; the root itself is ""."""
    return re.compile("|".join(_pattern(folder) for folder in folders))


def _pattern(folder: str) -> str:
    parts = (part for part in folder.split("/") if part not in ("", "."))
    return "".join(
        "(?:[^/]+/)*" if part == "**" else "[^/]*".join(map(re.escape, part.split("*"))) + "/"
        for part in parts
    )
