"""Files, archives or Parquet shards whose paths fit a pattern."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from dfsynth.errors import UsageError
from dfsynth.source import exclusion
from dfsynth.source.below_root import SourceBelowRoot
from dfsynth.source.container_folder import ARCHIVE_SUFFIXES, SHARD_SUFFIX
from dfsynth.source.glob_pattern import GlobPattern
from dfsynth.source.order import require_unique
from dfsynth.source.schema import Listing, ListingBuilder, in_chunks, text_column
from dfsynth.source.walk import FolderWalk

_DICOM_SUFFIXES: Final = (".dcm", ".dicom")


class PatternSource(SourceBelowRoot):
    """What fits `pattern` below `root`, in the order of the bytes of the paths.

    A pattern that ends in .tar, .tar.gz, .tgz, .zip or .parquet names containers, whose members
    are the images; any other names images. Of a pattern like **.dcm one folder is one study: its
    path below the root stands for the patient, so that images of one study stay together.
    """

    def __init__(
        self,
        root: Path,
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
        self._require_named()
        walk = FolderWalk(self.root, self._pattern.may_hold)
        builder = ListingBuilder()
        fits = self._pattern.matches
        beside: Counter[str] = Counter()
        for paths in in_chunks(path for block in walk.blocks() for path in block if fits(path)):
            self._add_files(builder, paths)
        names = self._pattern.text.lower()
        containers: list[str] = []
        if names.endswith((*ARCHIVE_SUFFIXES, SHARD_SUFFIX)):
            found = walk.parquet_files if names.endswith(SHARD_SUFFIX) else walk.archives
            containers = sorted(path for path in found if fits(path))
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

    def _require_named(self) -> None:
        named = self._pattern.literal_paths()
        lost = [path for path in named if not (self.root / path).is_file()]
        if lost:
            raise UsageError(
                f"{len(lost)} of the {len(named)} files that {self._pattern.text} names are not in "
                f"{self.root}, the first of them {lost[0]}; fetch them, or name fewer"
            )
