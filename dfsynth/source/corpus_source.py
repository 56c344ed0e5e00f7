"""A published corpus below a root: images in its folders, facts in its tables and lists."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.counted_nouns import counted
from dfsynth.files.object_path import AnyPath
from dfsynth.files.row_spool import RowSpool
from dfsynth.options import ViewChoice
from dfsynth.records import SourceItem
from dfsynth.source import exclusion
from dfsynth.source.container_folder import INSIDE
from dfsynth.source.corpus import Corpus
from dfsynth.source.corpus_images import ImageFinder
from dfsynth.source.facts import Facts
from dfsynth.source.order import in_byte_order, require_unique
from dfsynth.source.problems import Complaint
from dfsynth.source.reading import read_below
from dfsynth.source.schema import CHUNK_ROWS, Column, Listing, ListingBuilder
from dfsynth.source.survey import Survey
from dfsynth.source.views import tells_views, view_reasons
from dfsynth.source.zip_archive import ZipArchive


@dataclass(frozen=True, slots=True)
class CorpusSource:
    """The images of `corpus` below `root`, by the bytes of their ids."""

    corpus: Corpus
    root: AnyPath
    """The corpus's own folder."""
    frontal_only: bool = False
    _zips: dict[str, ZipArchive] = field(default_factory=dict, repr=False, compare=False)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    @property
    def name(self) -> str:
        return self.corpus.name

    @property
    def license(self) -> str:
        return self.corpus.license

    @property
    def watched(self) -> tuple[Path, ...]:
        """See `Source`; an object store tells nothing short of a listing."""
        return (self.root,) if isinstance(self.root, Path) else ()

    @property
    def views(self) -> ViewChoice:
        """Whether views decide which images are listed."""
        return "frontal" if self.frontal_only and tells_views(self.corpus) else "all"

    @property
    def notes(self) -> dict[str, str | bool]:
        """What stores say of the corpus, beside its name and license."""
        corpus = self.corpus
        known = (("title", corpus.title), ("citation", corpus.citation))
        found: dict[str, str | bool] = dict((*known, ("homepage", corpus.homepage)))
        if corpus.paediatric:
            found["paediatric"] = True
        return {name: value for name, value in found.items() if value}

    def listing(self) -> Listing:
        """Every image on disk, with what tables and lists say of it.

        A part of a corpus is enough: what the tables have beyond it is counted, not missed.

        Raises:
            UsageError: no images, an id that comes twice, or a table or list that does not fit.
        """
        return self.survey().listing

    def survey(self) -> Survey:
        """The listing, with everything that is wrong.

        Raises:
            UsageError: as `listing` does.
        """
        finder = ImageFinder(self.corpus.images, self.root)
        found = finder.find()
        where = f"the corpus {self.name}"
        exclusion.require_images(len(found["id"]), f"{where} below {self.root}", finder.excluded)
        # Its patterns say which files are images: tables and texts beside them are its own.
        excluded = exclusion.without_suffixes(finder.excluded)
        require_unique(found["id"].chunks, where, found["uri"].chunks)
        facts = Facts.load(self.corpus, self.root)
        images = _concatenated(in_byte_order(found))
        joined = facts.join(images)
        known = {**images, **joined.known}
        stays = self._stays(known, joined.reasons, excluded)
        listed = _listed({name: values.filter(stays) for name, values in known.items()})
        exclusion.require_images(listed.num_rows, f"{where} below {self.root}", excluded)
        matches = joined.matches
        if matches.beyond:
            excluded[exclusion.NOT_ON_DISK] = matches.beyond
        complaints = (*facts.complaints, *facts.wanting(matches, listed), *self._views(listed))
        remarks = (*finder.warnings, *matches.remarks())
        warnings = (*finder.warnings, *(c.sentence for c in complaints), *matches.remarks())
        return Survey(Listing(listed, dict(+excluded), warnings), complaints, remarks)

    def _stays(self, known: dict[str, Column], reasons: Column, excluded: Counter[str]) -> Column:
        """Which images stay; the others are counted by reason."""
        if self.views == "frontal":
            views = known.get("view", pa.nulls(len(reasons), pa.string()))
            reasons = pc.coalesce(reasons, view_reasons(views, self.corpus.views))
        excluded.update(reason for reason in reasons.to_pylist() if reason is not None)
        return pc.is_null(reasons)

    def _views(self, listed: RowSpool) -> tuple[Complaint, ...]:
        unknown = listed.column("view").null_count
        if not unknown or self.views == "all":
            return ()
        return (
            Complaint(f"{counted(unknown, 'image has', 'images have')} no view, taken for frontal"),
        )

    def read(self, item: SourceItem, max_bytes: int) -> bytes:
        """The file's bytes, or those of a zip's member; safe from any thread.

        Raises:
            ImageError: missing, unreadable, too_large, empty, truncated, corrupt.
            DfsynthError: the root itself, or the zip, is gone; or the object store refuses.
        """
        archive, mark, member = item.uri.partition(INSIDE)
        if not mark:
            return read_below(self.root, item.uri, max_bytes)
        with self._lock:
            source = self._zips.setdefault(archive, ZipArchive(self.root / archive))
        return source.read(SourceItem(item.row, item.shard, item.image_id, member), max_bytes)


def _concatenated(chunks: Iterator[dict[str, Column]]) -> dict[str, Column]:
    """At least one chunk, as one: each join then makes its table's index once."""
    parts = list(chunks)
    return {name: pa.concat_arrays([part[name] for part in parts]) for name in parts[0]}


def _listed(columns: Mapping[str, Column]) -> RowSpool:
    builder = ListingBuilder()
    for start in range(0, len(columns["image_id"]), CHUNK_ROWS):
        builder.add({name: values.slice(start, CHUNK_ROWS) for name, values in columns.items()})
    return builder.rows()
