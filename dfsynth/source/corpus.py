"""Corpora: what a TOML file says of a published collection of images, checked strictly."""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dfsynth.errors import UsageError
from dfsynth.resources import data_folder

_IDS: Final = ("file_name", "stem", "path")
TABLE_FACTS: Final = (
    "image_id",
    "patient_id",
    "view",
    "sex",
    "age",
    "findings",
    "split",
    "width_mm",
    "height_mm",
    "width_px",
    "height_px",
    "pitch_x_mm",
    "pitch_y_mm",
)
"""What a corpus's table can give; px times pitch gives mm where there is no mm."""


@dataclass(frozen=True, slots=True)
class CorpusTable:
    """The table of a corpus: its file, and which of its columns say what."""

    files: tuple[str, ...]
    """Relative to the root, the newest first; the first that is there is read."""
    columns: Mapping[str, tuple[str, ...]]
    """A name of `TABLE_FACTS` → headers, of which one is in the file."""
    findings_separators: str
    oldest_years: float


@dataclass(frozen=True, slots=True)
class SplitList:
    """A text file with one image id a line, and the split that they form."""

    file: str
    split: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """One corpus: what to say of it, and how its folders and tables lie."""

    name: str
    title: str
    license: str
    citation: str
    homepage: str
    obtain: str
    layout: str
    quirks: tuple[str, ...]
    images: int | None
    patients: int | None
    gigabytes: float | None
    folders: tuple[str, ...]
    """Folders of images below the root: `.` the root itself, `*` any part of one folder's name,
    `**` any folders."""
    suffixes: tuple[str, ...]
    """In lower case, with their dot."""
    id_from: str
    """file_name, stem or path: how a file gives its image_id."""
    table: CorpusTable | None
    splits: tuple[SplitList, ...]


def known_corpora() -> tuple[Corpus, ...]:
    """The corpora that come with dfsynth, by name."""
    files = sorted(data_folder("corpora").glob("*.toml"))
    return tuple(sorted((load_corpus(file) for file in files), key=lambda corpus: corpus.name))


def load_corpus(path: Path) -> Corpus:
    """Reads and checks one corpus file.

    Raises:
        UsageError: unreadable, no TOML, an unknown or missing key, or a value of a wrong kind.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            f"cannot read the corpus file {path}: expected a TOML file in UTF-8 that this user may "
            "read; check the path"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the corpus file {path.name} is no TOML: {error}; mend it") from None
    return _corpus(_Section(path.name, "", content))


def _corpus(top: "_Section") -> Corpus:
    size = top.section("size")
    images = top.section("images", required=True)
    tables = top.section("table")
    corpus = Corpus(
        name=top.text("name"),
        title=top.text("title"),
        license=top.text("licence"),
        citation=top.text("citation", ""),
        homepage=top.text("homepage", ""),
        obtain=top.text("obtain", ""),
        layout=top.text("layout", ""),
        quirks=top.texts("quirks", ()),
        images=_whole(size.number("images")),
        patients=_whole(size.number("patients")),
        gigabytes=size.number("gigabytes"),
        folders=images.texts("folders"),
        suffixes=tuple(suffix.lower() for suffix in images.texts("suffixes")),
        id_from=images.choice("id", _IDS),
        table=_table(tables) if tables.given else None,
        splits=tuple(_split(part) for part in top.sections("split")),
    )
    for section in (top, size, images, tables):
        section.require_all_known()
    return corpus


def _table(section: "_Section") -> CorpusTable:
    named = section.section("columns", required=True)
    found = {name: named.texts(name) for name in TABLE_FACTS if name in named.content}
    named.require_all_known(TABLE_FACTS)
    if "image_id" not in found:
        raise named.wrong("image_id", "nothing", "the headers of the column of image ids")
    return CorpusTable(
        files=section.texts("files"),
        columns=found,
        findings_separators=section.text("findings_separators", "|"),
        oldest_years=section.number("oldest_years", 120.0) or 120.0,
    )


def _split(section: "_Section") -> SplitList:
    result = SplitList(section.text("file"), section.text("split"))
    section.require_all_known()
    return result


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)


class _Section:
    """One table of the TOML file; it remembers which keys were asked for."""

    def __init__(self, file: str, place: str, content: Mapping[str, object] | None) -> None:
        self.given = content is not None
        self.content: Mapping[str, object] = content or {}
        self._file = file
        self._place = place
        self._asked: list[str] = []

    def _get(self, key: str) -> object:
        self._asked.append(key)
        return self.content.get(key)

    def wrong(self, key: str, found: str, expected: str) -> UsageError:
        return UsageError(
            f"the corpus file {self._file} is wrong at {self._place}{key}: found {found}; "
            f"expected {expected}"
        )

    def text(self, key: str, default: str | None = None) -> str:
        value = self._get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.wrong(key, _shown(value), "a text")
        return value.strip()

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        value = self._get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
            raise self.wrong(key, _shown(value), 'a list of texts such as ["…"]')
        return tuple(value)

    def number(self, key: str, default: float | None = None) -> float | None:
        value = self._get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e15:
            raise self.wrong(key, _shown(value), "a positive number")
        return value

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self.text(key)
        if value not in allowed:
            raise self.wrong(key, repr(value), f"one of {', '.join(allowed)}")
        return value

    def section(self, key: str, required: bool = False) -> "_Section":
        value = self._get(key)
        if (value is None and required) or not isinstance(value, dict | None):
            raise self.wrong(key, _shown(value), f"a table [{self._place}{key}]")
        return _Section(self._file, f"{self._place}{key}.", value)

    def sections(self, key: str) -> list["_Section"]:
        value = self._get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
            raise self.wrong(key, _shown(value), f"tables [[{self._place}{key}]]")
        return [_Section(self._file, f"{self._place}{key}.", part) for part in value]

    def require_all_known(self, known: tuple[str, ...] = ()) -> None:
        allowed = (*self._asked, *known)
        for key in self.content:
            if key not in allowed:
                near = difflib.get_close_matches(key, allowed, 1)
                suggestion = f" (did you mean {near[0]}?)" if near else ""
                raise self.wrong(key, "an unknown key", f"one of {', '.join(allowed)}{suggestion}")


def _shown(value: object) -> str:
    return "nothing" if value is None else repr(value)
