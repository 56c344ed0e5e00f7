"""Which folder is a corpus's own, where the user gives it or the one that holds it."""

import re
from pathlib import Path

from dfsynth.errors import UsageError
from dfsynth.source.corpus import Corpus
from dfsynth.source.corpus_table import find_files


def resolve_root(corpus: Corpus, root: Path) -> Path:
    """The corpus's own folder: `root`, or one in it that has the corpus's name.

    A folder that holds nothing of the corpus stays as it is: listing it says what was found.

    Raises:
        UsageError: several such folders, or `root` is a folder inside the corpus's.
    """
    below = tuple(folder for name in corpus.root_names if (folder := root / name).is_dir())
    for holds in (_holds_table, _holds_image):
        if holds(corpus, root):
            return root
        found = [folder for folder in below if holds(corpus, folder)]
        if len(found) > 1:
            raise UsageError(
                f"{root} holds the corpus {corpus.name} more than once: "
                f"{', '.join(str(folder) for folder in found)}; give one of them as --root"
            )
        if found:
            return found[0]
    above = next(
        (folder for folder in root.absolute().parents[:3] if _holds_table(corpus, folder)), None
    )
    if above is not None:
        raise UsageError(
            f"--root {root} is a folder inside the corpus {corpus.name}: its tables are in "
            f"{above}; give --root {above}"
        )
    return root


def _holds_table(corpus: Corpus, folder: Path) -> bool:
    return any(find_files(table, folder) for table in corpus.tables) or any(
        (folder / part.file).is_file() for part in corpus.splits
    )


def _holds_image(corpus: Corpus, folder: Path) -> bool:
    """Whether an image lies where a pattern says; patterns of any depth are not tried."""
    patterns = (*corpus.images.files, *corpus.images.archives)
    globs = (re.sub(r"\{\w+\}", "*", pattern.text) for pattern in patterns)
    return any(next(folder.glob(text), None) is not None for text in globs if "**" not in text)
