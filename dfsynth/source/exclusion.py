"""Which files are no inputs, why, and how messages say so."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from dfsynth.counted_nouns import counted
from dfsynth.errors import UsageError

HIDDEN: Final = "hidden"
HIDDEN_FOLDER: Final = "hidden_folder"
STORE: Final = "store"
ARCHIVE: Final = "archive"
LINK: Final = "link"
LINK_LOOP: Final = "link_loop"
LINKED_TWICE: Final = "linked_twice"
SPARSE: Final = "sparse"
NOT_A_FILE: Final = "not_a_regular_file"
UNDECODABLE: Final = "undecodable_name"
UNREADABLE_FOLDER: Final = "unreadable_folder"
NO_PATH: Final = "no_path"
OUTSIDE_ROOT: Final = "outside_root"
OUTSIDE_IMAGE_FOLDERS: Final = "outside_image_folders"
NOT_ON_DISK: Final = "in_table_but_not_on_disk"
FACTS: Final = "facts_of_an_image"
NOT_FRONTAL: Final = "not_frontal"
VIEW_UNKNOWN: Final = "view_unknown"

_TABLES: Final = (".csv", ".tsv", ".parquet", ".feather", ".jsonl", ".xlsx", ".xls", ".ods")
_TEXTS: Final = (".json", ".txt", ".toml", ".yaml", ".yml", ".xml", ".md", ".html", ".log")
_NO_IMAGE_SUFFIXES: Final = frozenset((*_TABLES, *_TEXTS, ".cls", ".md5", ".sha256"))
_COMPRESSED: Final = frozenset((".gz", ".bz2", ".xz", ".zst"))
_ARCHIVES: Final = frozenset((".tar", ".zip", ".tgz", ".tbz2", ".txz"))

UNPACK_ADVICE: Final = (
    "unpack them (tar -xf NAME, unzip NAME), or give one .tar, .tar.gz or .zip, or a folder of "
    "nothing else, as the source"
)

_SUFFIX: Final = "not_an_image_suffix:"
PARQUET: Final = f"{_SUFFIX}.parquet"


def suffix_reason(suffix: str) -> str:
    """The reason to leave out a file for its suffix, for example "not_an_image_suffix:.csv"."""
    return f"{_SUFFIX}{suffix}"


def without_suffixes(excluded: Mapping[str, int]) -> Counter[str]:
    """The counts less those of files that are left out for their suffix, such as tables."""
    return Counter({r: count for r, count in excluded.items() if not r.startswith(_SUFFIX)})


def reason_to_exclude(name: str) -> str | None:
    """Why a file of this name (no folders) is no input; None where it is one.

    Only the name decides: a file with a wrong content is an input that fails.
    """
    if name.startswith("."):
        return HIDDEN
    if not name.isascii() and not is_decodable(name):
        return UNDECODABLE
    suffix = name[name.rfind(".") :].lower()
    if suffix in _NO_IMAGE_SUFFIXES:
        return suffix_reason(suffix)
    if suffix in _ARCHIVES:
        return ARCHIVE
    return _reason_to_exclude_compressed(name, suffix) if suffix in _COMPRESSED else None


def _reason_to_exclude_compressed(name: str, suffix: str) -> str | None:
    """For what is in it: a table stays a table, an image may be an input."""
    if is_compressed_tar(name):
        return ARCHIVE
    stem = name[: -len(suffix)]
    inner = stem[stem.rfind(".") :].lower()
    return suffix_reason(inner + suffix) if inner in _NO_IMAGE_SUFFIXES else None


def reason_to_exclude_member(path: str) -> str | None:
    """Why an archive's member of this name is no input; None where it is one."""
    if not path:
        return NO_PATH
    folders, _, name = path.rpartition("/")
    if folders and any(
        part.startswith(".") and part not in (".", "..") for part in folders.split("/")
    ):
        return HIDDEN
    if not path.isascii() and not is_decodable(path):
        return UNDECODABLE
    return reason_to_exclude(name)


def is_compressed_tar(name: str) -> bool:
    """Whether a file's name says that it is a compressed tar: .tar.gz, .tgz and the like."""
    stem, _, suffix = name.lower().rpartition(".")
    return suffix in ("tgz", "tbz2", "txz") or (
        f".{suffix}" in _COMPRESSED and stem.endswith(".tar")
    )


def is_decodable(name: str) -> bool:
    """Whether a file's name is text; names in another encoding carry lone surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def require_images(rows: int, where: str, excluded: Mapping[str, int]) -> None:
    """Requires that there is something to do.

    Raises:
        UsageError: no images, with what was found instead.
    """
    if rows:
        return
    found = ", ".join(f"{count} × {reason}" for reason, count in sorted(excluded.items()))
    if VIEW_UNKNOWN in excluded:
        raise UsageError(
            f"no images in {where} that are known to be frontal: found {found}; expected the table "
            "that says the views (`dfsynth sources show` names it): fetch it, or give --views all"
        )
    give = "give the folder, archive or table that holds them"
    advice = UNPACK_ADVICE if ARCHIVE in excluded else give
    raise UsageError(
        f"no images in {where}: found {found or 'nothing'}; expected PNG, JPEG, TIFF or DICOM "
        f"files, or NumPy or NIfTI for values in a unit; {advice}"
    )


def outside_root_warnings(excluded: Mapping[str, int], what: str) -> tuple[str, ...]:
    """One sentence where paths of a table or list lead out of the root."""
    outside = excluded.get(OUTSIDE_ROOT, 0)
    if not outside:
        return ()
    return (
        f"{counted(outside, f'path of the {what} leads', f'paths of the {what} lead')} out of the "
        "root, left out; give a --root that holds all",
    )
