"""Which folder is a corpus's own, where the user gives it or the one that holds it."""

from pathlib import Path

from dfsynth.errors import UsageError
from dfsynth.files.object_path import AnyPath
from dfsynth.source.corpus import Corpus
from dfsynth.source.corpus_table import find_files
from dfsynth.source.named_files import FilesOnDisk, NamedFiles, files_below

_MOST_ABOVE = 3


def resolve_root(corpus: Corpus, root: AnyPath) -> AnyPath:
    """The corpus's own folder: `root`, or one in it that has the corpus's name.

    A folder that holds nothing of the corpus stays as it is: listing it says what was found.

    Raises:
        UsageError: several such folders, or `root` is a folder inside the corpus's.
        DfsynthError: the object store that holds it refuses.
    """
    files = files_below(root)
    below: tuple[NamedFiles, ...] | None = None
    for holds in (_holds_table, _holds_image):
        if holds(corpus, files):
            return root
        if below is None:
            names = filter(files.is_folder, corpus.root_names)
            below = tuple(files_below(root / name) for name in names)
        found = [folder.root for folder in below if holds(corpus, folder)]
        if len(found) > 1:
            raise UsageError(
                f"{root} holds the corpus {corpus.name} more than once: "
                f"{', '.join(str(folder) for folder in found)}; give one of them as --root"
            )
        if found:
            return found[0]
    # Of an object store, credentials often allow no look at what lies above.
    if isinstance(root, Path):
        _require_none_above(corpus, root)
    return root


def _require_none_above(corpus: Corpus, root: Path) -> None:
    folders = root.absolute().parents[:_MOST_ABOVE]
    above = next((folder for folder in folders if _holds_table(corpus, FilesOnDisk(folder))), None)
    if above is not None:
        raise UsageError(
            f"--root {root} is a folder inside the corpus {corpus.name}: its tables are in "
            f"{above}; give --root {above}"
        )


def _holds_table(corpus: Corpus, files: NamedFiles) -> bool:
    return any(find_files(table, files) for table in corpus.tables) or any(
        files.is_file(part.file) for part in corpus.splits
    )


def _holds_image(corpus: Corpus, files: NamedFiles) -> bool:
    """Whether an image lies where a pattern says; patterns of any depth are not tried."""
    patterns = (*corpus.images.files, *corpus.images.archives)
    return any(files.holds(pattern) for pattern in patterns if "**" not in pattern.text)
