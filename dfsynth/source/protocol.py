"""What every source offers to the job of a build."""

from pathlib import Path
from typing import Protocol

from dfsynth.records import SourceItem
from dfsynth.source.schema import Listing


class Source(Protocol):
    """A place that images come from: listed once, then read item by item from many threads."""

    @property
    def name(self) -> str:
        """What the source is known by in stores, which are only continued from the same one.

        The corpus's name; else kind and last name: "folder:chests" (of the resolved root),
        "table:chests.csv", "tar:chests.tar", "zip:chests.zip", "parquet:chests.parquet",
        "nifti:chest.nii.gz", "pattern:chests/**.dcm", "list:stdin". Never a whole path, so that
        the source may be moved.
        """

    @property
    def license(self) -> str:
        """The license of the images, or "unknown"."""

    @property
    def watched(self) -> tuple[Path, ...]:
        """Files and folders that change when inputs are added: a table, an archive, a root.

        Of a folder, those below it that hold planned inputs are watched as well.
        """

    def listing(self) -> Listing:
        """What there is, in the order of the plan, without opening an image.

        Raises:
            UsageError: no images, ids that come twice, or a layout that does not fit.
            DfsynthError: a damaged archive.
        """

    def read(self, item: SourceItem, max_bytes: int) -> bytes:
        """The bytes of one input; thread-safe; needs no listing before it.

        Raises:
            ImageError: missing, unreadable, too_large (asked before reading), empty, truncated,
                corrupt. Its sentence names nothing.
            DfsynthError: the whole source is gone or was replaced, or the machine fails.
        """
