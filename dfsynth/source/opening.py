"""From what the user wrote after --source to a source."""

import difflib
from pathlib import Path

from dfsynth.errors import UsageError
from dfsynth.source.corpus import Corpus
from dfsynth.source.corpus_file import known_corpora, load_corpus
from dfsynth.source.corpus_root import resolve_root
from dfsynth.source.corpus_source import CorpusSource
from dfsynth.source.exclusion import is_compressed_tar
from dfsynth.source.folder import FolderSource
from dfsynth.source.metadata import is_table
from dfsynth.source.protocol import Source
from dfsynth.source.table import TableSource
from dfsynth.source.tar_archive import TarSource
from dfsynth.source.zip_archive import ZipSource


def open_source(spec: str, root: Path | None, frontal_only: bool = False) -> Source:
    """The source that `spec` names; nothing is listed yet.

    Args:
        spec: the name of a known corpus, a corpus TOML, a folder, a .tar or .zip, or a .csv, .tsv
            (also .gz) or .parquet table. A corpus's name wins over a folder of that name: write
            ./nih for it.
        root: where the images of a corpus or a table lie; a table's own folder by default. A
            folder or an archive is its own root; a relative one that is not in the working
            folder is looked for below `root`.
        frontal_only: whether images of a corpus that are known not to be frontal are left out.

    Raises:
        UsageError: an unknown source, a missing root or file, or a kind that cannot be read.
    """
    if root is not None and not root.is_dir():
        raise UsageError(f"no folder {root}: expected the folder of the images after --root")
    corpora = {corpus.name: corpus for corpus in known_corpora()}
    if spec in corpora:
        return open_corpus(corpora[spec], root, frontal_only)
    path = _existing_path(spec, root, tuple(corpora))
    if path.is_dir():
        return FolderSource(path)
    return _open_file(path, root, frontal_only)


def _open_file(path: Path, root: Path | None, frontal_only: bool) -> Source:
    suffix = path.suffix.lower()
    if is_compressed_tar(path.name):
        raise UsageError(
            f"the archive {path.name} is compressed: expected a plain .tar, a .zip or a folder; "
            f"unpack it (tar -xf {path.name}) and give the folder"
        )
    if suffix == ".toml":
        return open_corpus(load_corpus(path), root, frontal_only)
    if suffix == ".tar":
        return TarSource(path)
    if suffix == ".zip":
        return ZipSource(path)
    if is_table(path.name):
        return TableSource(path, root or path.parent)
    raise UsageError(
        f"{path.name} is no source: found a file with the suffix {suffix!r}; expected a folder, "
        "a .tar or .zip archive, a .csv, .tsv or .parquet table, or a corpus .toml; for one image "
        "give the folder that holds it"
    )


def open_corpus(corpus: Corpus, root: Path | None, frontal_only: bool) -> CorpusSource:
    """The source of a corpus; `root` is its folder, or the one that holds it.

    Raises:
        UsageError: no root, or one that is not the corpus's.
    """
    found = resolve_root(corpus, _require_root(corpus.name, root))
    return CorpusSource(corpus, found, frontal_only)


def _require_root(name: str, root: Path | None) -> Path:
    if root is None:
        raise UsageError(
            f"the corpus {name} needs --root: expected the folder that its files were put in "
            "(`dfsynth sources show` tells the layout)"
        )
    return root


def _existing_path(spec: str, root: Path | None, names: tuple[str, ...]) -> Path:
    places = [Path(spec)] if root is None else [Path(spec), root / spec]
    found = next((place for place in places if place.exists()), None) if spec else None
    if found is not None:
        return found
    near = difflib.get_close_matches(spec, names, 3, 0.5)
    suggestion = f"did you mean {' or '.join(near)}? " if near else ""
    raise UsageError(
        f"unknown source {spec!r}: found neither a corpus nor a file or folder of that name; "
        f"{suggestion}known corpora are {', '.join(names)}; else give a folder, a .tar or .zip "
        "archive, a .csv or .parquet table, or a corpus .toml"
    )
