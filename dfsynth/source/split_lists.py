"""Text files with one image a line, and the split that they form."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.errors import UsageError
from dfsynth.files.local_copies import local_copy
from dfsynth.files.object_path import AnyPath
from dfsynth.source.corpus import Corpus, SplitList
from dfsynth.source.named_files import NamedFiles
from dfsynth.source.problems import Complaint
from dfsynth.source.schema import Column


@dataclass(frozen=True, slots=True)
class SplitLists:
    """What the lists of a corpus hold."""

    lists: tuple[SplitList, ...]
    """Those that are there."""
    lines: tuple[Column, ...]
    """What each holds, in the form that an image's own text is compared with."""
    complaints: tuple[Complaint, ...]
    complete: bool
    """Whether the corpus has lists, and all are there."""

    @classmethod
    def load(cls, corpus: Corpus, files: NamedFiles) -> "SplitLists":
        """Reads the lists below the root.

        Raises:
            UsageError: one cannot be read, or two hold the same image.
            DfsynthError: the object store that holds them refuses.
        """
        there = tuple(part for part in corpus.splits if files.is_file(part.file))
        lines = []
        split_of: dict[str, str] = {}
        for part in there:
            texts = pa.array(_lines(files.root, part), pa.string())
            keys = part.key.fill({"line": texts}, len(texts))
            lines.append(keys)
            for key in map(str, keys.to_pylist()):
                other = split_of.setdefault(key, part.split)
                if other != part.split:
                    raise UsageError(
                        f"the image {key!r} is in the lists of both {other!r} and {part.split!r}; "
                        "expected it in one: fetch the lists again"
                    )
        missing = (
            Complaint(
                f"the list {part.file} is not in the root; split is null for the images of "
                f"{part.split!r}"
            )
            for part in corpus.splits
            if part not in there
        )
        complete = bool(there) and len(there) == len(corpus.splits)
        return cls(there, tuple(lines), tuple(missing), complete)

    def about(self, images: Mapping[str, Column], rows: int) -> Column | None:
        """The split of each image; null where no list has it. None where there are no lists."""
        found = None
        for part, lines in zip(self.lists, self.lines, strict=True):
            inside = pc.is_in(part.image.fill(images, rows), value_set=lines, skip_nulls=True)
            split = pc.if_else(inside, pa.scalar(part.split), pa.scalar(None, pa.string()))
            found = split if found is None else pc.coalesce(found, split)
        return found


def _lines(root: AnyPath, part: SplitList) -> list[str]:
    try:
        with local_copy(root / part.file) as path:
            content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            f"cannot read the list {part.file}: expected one image id a line, in UTF-8; fetch it "
            "again"
        ) from None
    return [line.strip() for line in content.splitlines() if line.strip()]
