"""From what the user wrote after --source to a source."""

import difflib
import sys
from pathlib import Path
from typing import Final

from dfsynth.errors import UsageError
from dfsynth.files.local_copies import local_copy
from dfsynth.files.object_file import version_of
from dfsynth.files.object_path import SCHEME, AnyPath, ObjectPath
from dfsynth.files.objects import list_objects
from dfsynth.resources import data_folder
from dfsynth.source.container_folder import SHARD_SUFFIX, is_archive, is_shard
from dfsynth.source.container_source import ContainerSource
from dfsynth.source.corpus import Corpus
from dfsynth.source.corpus_file import known_corpora, load_corpus
from dfsynth.source.corpus_root import resolve_root
from dfsynth.source.corpus_source import CorpusSource
from dfsynth.source.exclusion import is_compressed_tar
from dfsynth.source.folder import FolderSource
from dfsynth.source.glob_pattern import is_pattern, split_pattern
from dfsynth.source.metadata import is_table
from dfsynth.source.nifti_volume import NiftiVolume, is_volume
from dfsynth.source.path_list import PathListSource
from dfsynth.source.pattern_source import PatternSource
from dfsynth.source.protocol import Source
from dfsynth.source.table import TableSource

_STDIN: Final = "-"
_COLUMN_MARK: Final = "::"
_SAMPLES: Final = "samples"
_CORPUS_SUFFIX: Final = ".toml"
_KINDS: Final = (
    "a folder, a .tar, .tar.gz or .zip archive, a .parquet shard with images inside, a .csv or "
    ".parquet table of paths, a pattern such as dir/**.dcm, s3://bucket/prefix/, - for paths on "
    "standard input, or a corpus .toml"
)


def open_source(
    spec: str, root: AnyPath | None, frontal_only: bool = False, volumes: bool = False
) -> Source:
    """The source that `spec` names; nothing is listed yet.

    Args:
        spec: the name of a known corpus, a corpus TOML, a folder, a .tar, .tar.gz or .zip, a
            .parquet with images inside, a .csv or .parquet table of paths, a pattern of paths,
            s3://bucket/prefix, or - for paths on standard input. A corpus's name wins over a
            folder of that name: write ./nih for it. `::COLUMN` behind a shard, or what holds
            shards, names the column of images.
        root: where the images of a corpus, a table or a list lie; by default a table's own folder,
            the working folder for a list, and the packaged images for the corpus `samples`. All
            else is its own root; a relative path that is not in the working folder is looked for
            below `root`. A root in an object store serves corpora, tables and lists, which may lie
            there themselves.
        frontal_only: whether images of a corpus that are known not to be frontal are left out.
        volumes: whether each transverse slice of a NIfTI volume is an image; a volume may then be
            the source itself, or lie in a folder or fit a pattern.

    Raises:
        UsageError: an unknown source, a missing root or file, or a kind that cannot be read.
    """
    if spec.startswith(SCHEME):
        return _open_elsewhere(spec, root, frontal_only, volumes)
    if isinstance(root, ObjectPath):
        return _open_rooted(spec, root, frontal_only)
    return _open_here(spec, root, frontal_only, volumes)


def _open_here(spec: str, root: Path | None, frontal_only: bool, volumes: bool) -> Source:
    """A source on a disk of this machine."""
    if root is not None and not root.is_dir():
        raise UsageError(f"no folder {root}: expected the folder of the images after --root")
    if spec == _STDIN:
        return PathListSource(sys.stdin.buffer, root or Path())
    corpora = {corpus.name: corpus for corpus in known_corpora()}
    if spec in corpora:
        return open_corpus(corpora[spec], root or own_images(spec), frontal_only)
    path, column = _find(spec, root), None
    if path is None and _COLUMN_MARK in spec:
        spec, _, column = spec.rpartition(_COLUMN_MARK)
        path = _find(spec, root)
    if path is None and is_pattern(spec):
        return _open_pattern(spec, root, column, volumes)
    if path is None:
        raise _unknown(spec, tuple(corpora))
    if path.is_dir():
        return FolderSource(path, column, volumes)
    if path.suffix.lower() == _CORPUS_SUFFIX and column is None:
        return open_corpus(load_corpus(path), root, frontal_only)
    return _open_file(path, root, column, volumes)


def _open_elsewhere(spec: str, root: AnyPath | None, frontal_only: bool, volumes: bool) -> Source:
    """A source in an object store."""
    where, mark, column = spec.removeprefix(SCHEME).rpartition(_COLUMN_MARK)
    if not mark or "/" in column:
        return _open_object(ObjectPath.parse(spec), root, None, frontal_only, volumes)
    return _open_object(ObjectPath.parse(SCHEME + where), root, column, frontal_only, volumes)


def _open_object(
    path: ObjectPath, root: AnyPath | None, column: str | None, frontal_only: bool, volumes: bool
) -> Source:
    """What the name says, else a folder, or else a pattern."""
    name = path.name
    is_corpus = path.suffix.lower() == _CORPUS_SUFFIX and column is None
    is_file = is_archive(name) or is_compressed_tar(name) or is_table(name)
    if is_pattern(path.key) and not _is_there(path):
        folder, pattern = split_pattern(path.key)
        return PatternSource(ObjectPath(path.bucket, folder), pattern, column, volumes)
    if not (is_file or is_corpus or (volumes and is_volume(name))):
        return FolderSource(path, column, volumes)
    if version_of(path) is None:
        raise UsageError(f"unknown source: there is no object {path}; check its name")
    if is_corpus:
        with local_copy(path) as file:
            return open_corpus(load_corpus(file), root, frontal_only)
    return _open_file(path, root, column, volumes)


def _is_there(path: ObjectPath) -> bool:
    """Whether there is such an object, or one below it."""
    return version_of(path) is not None or next(list_objects(path), None) is not None


def _open_rooted(spec: str, root: ObjectPath, frontal_only: bool) -> Source:
    """A corpus, a table or a list here whose images lie in an object store."""
    if spec == _STDIN:
        return PathListSource(sys.stdin.buffer, root)
    corpora = {corpus.name: corpus for corpus in known_corpora()}
    if spec in corpora:
        return open_corpus(corpora[spec], root, frontal_only)
    path = Path(spec)
    if not path.exists():
        raise _unknown(spec, tuple(corpora))
    if path.suffix.lower() == _CORPUS_SUFFIX:
        return open_corpus(load_corpus(path), root, frontal_only)
    if is_table(path.name) and path.is_file() and not is_shard(path):
        return TableSource(path, root)
    raise UsageError(
        f"--source {spec} with --root {root}: expected the name or the .toml of a corpus, a .csv "
        "or .parquet table of paths on this machine, or - for a list; a folder of images in the "
        "object store is a --source of its own"
    )


def _open_file(path: AnyPath, root: AnyPath | None, column: str | None, volumes: bool) -> Source:
    suffix = path.suffix.lower()
    if column is not None and suffix != SHARD_SUFFIX:
        raise UsageError(
            f"{path.name} has no columns: found ::{column} behind it; expected that of a .parquet "
            "shard, or of a folder or pattern of them; leave it out"
        )
    if is_archive(path.name):
        return ContainerSource(path)
    if is_compressed_tar(path.name):
        raise UsageError(
            f"the archive {path.name} is compressed, and not by gzip: expected a .tar, .tar.gz, a "
            f".zip or a folder; unpack it (tar -xf {path.name}) and give the folder"
        )
    if suffix == SHARD_SUFFIX and (column is not None or is_shard(path)):
        return ContainerSource(path, column)
    if is_table(path.name):
        return TableSource(path, root or path.parent)
    if volumes and is_volume(path.name):
        return _open_volume(path)
    raise UsageError(
        f"{path.name} is no source: found a file with the suffix {suffix!r}; expected {_KINDS}; "
        "for one image give the folder that holds it"
    )


def open_corpus(corpus: Corpus, root: AnyPath | None, frontal_only: bool) -> CorpusSource:
    """The source of a corpus; `root` is its folder, or the one that holds it.

    Raises:
        UsageError: no root, or one that is not the corpus's.
    """
    found = resolve_root(corpus, _require_root(corpus.name, root))
    return CorpusSource(corpus, found, frontal_only)


def own_images(name: str) -> Path | None:
    """The folder of the images of the corpus `name`, where they come with dfsynth."""
    return data_folder(_SAMPLES) if name == _SAMPLES else None


def _open_volume(path: AnyPath) -> Source:
    if not len(NiftiVolume(path).members().columns["uri"]):
        raise UsageError(
            f"{path.name} is no source: found no readable volume of two or more transverse slices "
            "along its third axis; for one slice, give the folder that holds it"
        )
    return ContainerSource(path)


def _open_pattern(spec: str, root: Path | None, column: str | None, volumes: bool) -> Source:
    folder, pattern = split_pattern(spec)
    found = root if root is not None and not folder else _find(folder or ".", root)
    if found is None or not found.is_dir():
        raise UsageError(
            f"no folder {folder}: expected the folder that the paths {pattern.text} lie below; "
            "check the path"
        )
    return PatternSource(found, pattern, column, volumes)


def _require_root(name: str, root: AnyPath | None) -> AnyPath:
    if root is None:
        raise UsageError(
            f"the corpus {name} needs --root: expected the folder that its files were put in "
            "(`dfsynth sources show` tells the layout)"
        )
    return root


def _find(spec: str, root: Path | None) -> Path | None:
    places = [Path(spec)] if root is None else [Path(spec), root / spec]
    return next((place for place in places if place.exists()), None) if spec else None


def _unknown(spec: str, names: tuple[str, ...]) -> UsageError:
    near = difflib.get_close_matches(spec, names, 3, 0.5)
    suggestion = f"did you mean {' or '.join(near)}? " if near else ""
    return UsageError(
        f"unknown source {spec!r}: found neither a corpus nor a file or folder of that name; "
        f"{suggestion}known corpora are {', '.join(names)}; else give {_KINDS}"
    )
