"""Files, archives or Parquet shards whose paths fit a pattern."""

from collections import Counter
from collections.abc import Sequence, Set
from pathlib import Path
from typing import Final

import pyarrow as pa

from dfsynth.counted_nouns import counted
from dfsynth.errors import UsageError
from dfsynth.files.object_path import AnyPath
from dfsynth.source import exclusion
from dfsynth.source.any_walk import AnyWalk, walk_below
from dfsynth.source.below_root import SourceBelowRoot
from dfsynth.source.container_folder import ARCHIVE_SUFFIXES, SHARD_SUFFIX
from dfsynth.source.glob_pattern import GlobPattern
from dfsynth.source.order import require_unique
from dfsynth.source.schema import Listing, ListingBuilder, in_chunks, text_column

_DICOM_SUFFIXES: Final = (".dcm", ".dicom")


class PatternSource(SourceBelowRoot):
    """What fits `pattern` below `root`, in the order of the bytes of the paths.

    A pattern that ends in .tar, .tar.gz, .tgz, .zip or .parquet names containers, whose members
    are the images; any other names images. Of a pattern like **.dcm one folder is one study: its
    path below the root stands for the patient, so that images of one study stay together.
    """

    def __init__(
        self,
        root: AnyPath,
        pattern: GlobPattern,
        column: str | None = None,
        volumes: bool = False,
    ) -> None:
        super().__init__(root, column, volumes)
        self._pattern = pattern

    @property
    def name(self) -> str:
        return self._name("pattern", f"/{self._pattern.text}")

    def listing(self) -> Listing:
        """Every image whose file, or whose container, fits the pattern.

        Raises:
            UsageError: no images, a file that braces name is not there, or an id comes twice.
            DfsynthError: a damaged archive or shard.
        """
        walk = walk_below(self.root, self._pattern)
        builder = ListingBuilder()
        fits = self._pattern.matches
        named = frozenset(self._pattern.literal_paths())
        found: set[str] = set()
        beside: Counter[str] = Counter()
        for paths in in_chunks(path for block in walk.blocks() for path in block if fits(path)):
            found |= named.intersection(paths)
            self._add_files(builder, paths)
        containers = self._containers_of(walk)
        self._require_all(named, found.union(containers))
        warnings = self._containers.add_to(builder, containers, beside)
        rows = builder.rows()
        where = f"the paths {self._pattern.text} below {self.root}"
        exclusion.require_images(rows.num_rows, where, beside)
        require_unique(rows.column("image_id"), where)
        return Listing(rows, dict(beside), (*walk.warnings(walk.archives), *warnings))

    def _add_files(self, builder: ListingBuilder, paths: Sequence[str]) -> None:
        if not self._is_of_studies:
            self._add_paths(builder, paths)
        else:
            ids = text_column(paths)
            folders = [path.rpartition("/")[0] or None for path in paths]
            builder.add({"image_id": ids, "uri": ids, "patient_id": pa.array(folders, pa.string())})

    @property
    def _is_of_studies(self) -> bool:
        return self._pattern.is_deep and self._pattern.text.lower().endswith(_DICOM_SUFFIXES)

    def _containers_of(self, walk: AnyWalk) -> list[str]:
        """Those that the pattern names, where it names any."""
        names = self._pattern.text.lower()
        if not names.endswith((*ARCHIVE_SUFFIXES, SHARD_SUFFIX)):
            return []
        found = walk.parquet_files if names.endswith(SHARD_SUFFIX) else walk.archives
        return sorted(path for path in found if self._pattern.matches(path))

    def _require_all(self, named: Set[str], found: Set[str]) -> None:
        """Requires that what braces name one by one is there; what is no image may be."""
        root = self.root
        lost = sorted(named - found)
        if isinstance(root, Path):
            lost = [path for path in lost if not (root / path).is_file()]
        if lost:
            raise UsageError(
                f"not in {root}: {len(lost)} of {counted(len(named), 'file')} named by "
                f"{self._pattern.text}, the first of them {lost[0]}; fetch them, or name fewer"
            )
