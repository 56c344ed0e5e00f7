"""Reads corpus files; `docs/corpora.md` describes every key."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

from dfsynth.errors import UsageError
from dfsynth.records import RawLayout
from dfsynth.resources import data_folder
from dfsynth.source.columns import OLDEST_YEARS
from dfsynth.source.corpus import (
    FRONTAL_VIEWS,
    IMAGE_FACTS,
    WORD_FACTS,
    Corpus,
    CorpusSize,
    CorpusTable,
    FindingsForm,
    ImageLayout,
    KnownExclusion,
    Labels,
    Need,
    ReadFiles,
    RowExclusion,
    SeveralFiles,
    SeveralRows,
    Sidecar,
    SplitList,
    Views,
)
from dfsynth.source.corpus_pattern import OWN_NAMES, CorpusPattern, names_below_root
from dfsynth.source.template import Template
from dfsynth.source.toml_section import TomlSection

_DEEPEST_RAW: Final = 16
_ENCODINGS: Final = ("utf-8", "latin-1", "cp1252")


def known_corpora() -> tuple[Corpus, ...]:
    """The corpora that come with dfsynth, by name."""
    files = sorted(data_folder("corpora").glob("*.toml"))
    return tuple(sorted((load_corpus(file) for file in files), key=lambda corpus: corpus.name))


def find_corpus(spec: str) -> Corpus:
    """The corpus of this name, or of the corpus file at this path.

    Raises:
        UsageError: neither, with the nearest name; or a file that is wrong.
    """
    known = {corpus.name: corpus for corpus in known_corpora()}
    if spec in known:
        return known[spec]
    if spec.lower().endswith(".toml"):
        return load_corpus(Path(spec))
    near = difflib.get_close_matches(spec, known, 1, 0.5)
    suggestion = f"did you mean {near[0]}? " if near else ""
    raise UsageError(
        f"unknown corpus {spec!r}: {suggestion}expected the path of a .toml, or one of "
        f"{', '.join(known)}"
    )


def load_corpus(path: Path) -> Corpus:
    """Reads and checks one corpus file.

    Raises:
        UsageError: unreadable, no TOML, an unknown or missing key, or a value of a wrong kind.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            f"cannot read the corpus file {path}: expected a TOML file in UTF-8 that this user may "
            "read; check the path"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the corpus file {path.name} is no TOML: {error}; mend it") from None
    return _corpus(TomlSection(path.name, "", content))


def _corpus(top: TomlSection) -> Corpus:
    images = _images(top.section("images", required=True))
    names = {*OWN_NAMES, "id", *(name for pattern in images.files for name in pattern.names)}
    corpus = Corpus(
        name=top.text("name"),
        title=top.text("title"),
        license=top.text("licence"),
        citation=top.text("citation", ""),
        homepage=top.text("homepage", ""),
        obtain=top.text("obtain", ""),
        layout=top.text("layout", ""),
        quirks=top.texts("quirks", ()),
        sources=top.texts("sources", ()),
        doubts=top.texts("doubts", ()),
        paediatric=top.flag("paediatric", False),
        size=_size(top.section("size")),
        root_names=top.parsed("root_names", _below_root, ()),
        images=images,
        tables=tuple(_table(part, names) for part in top.sections("table")),
        sidecars=tuple(_sidecar(part, names) for part in top.sections("sidecar")),
        splits=tuple(_split(part, names) for part in top.sections("split")),
        exclude=tuple(_known(part) for part in top.sections("exclude")),
        views=_views(top.section("view")),
        words=_words(top.section("words")),
    )
    top.require_all_known()
    return corpus


def _size(section: TomlSection) -> CorpusSize:
    result = CorpusSize(
        section.whole("images"), section.whole("patients"), section.number("gigabytes")
    )
    section.require_all_known()
    return result


def _images(section: TomlSection) -> ImageLayout:
    files = section.parsed("files", CorpusPattern.parse)
    names = {*OWN_NAMES, *(name for pattern in files for name in pattern.names)}
    facts = section.section("facts")
    raw = section.section("raw")
    facts.require_known(IMAGE_FACTS)
    result = ImageLayout(
        files=files,
        archives=section.parsed("archives", _zip_pattern, ()),
        image_id=_template(section, "id", names),
        several_files=cast(
            SeveralFiles, section.choice("several_files", ("refuse", "first_pattern"), "refuse")
        ),
        facts={name: _template(facts, name, names) for name in facts.content},
        raw=_raw(raw) if raw.given else None,
    )
    section.require_all_known()
    return result


def _raw(section: TomlSection) -> RawLayout:
    sides = [section.whole(name) for name in ("width", "height", "bits")]
    if None in sides or cast(int, sides[2]) > _DEEPEST_RAW:
        raise section.wrong(
            "bits", repr(dict(section.content)), "width and height in pixels, and 1 to 16 bits"
        )
    width, height, bits = cast(list[int], sides)
    result = RawLayout(
        width,
        height,
        bits,
        big_endian=section.choice("byte_order", ("big", "little")) == "big",
        inverted=section.choice("photometric", ("MONOCHROME1", "MONOCHROME2")) == "MONOCHROME1",
    )
    section.require_all_known()
    return result


def _table(section: TomlSection, names: set[str]) -> CorpusTable:
    columns = section.section("columns")
    labels = section.section("labels")
    columns.require_known(IMAGE_FACTS)
    result = CorpusTable(
        files=section.parsed("files", _below_root),
        read=cast(ReadFiles, section.choice("read", ("first", "all"), "first")),
        need=cast(Need, section.choice("need", ("required", "expected", "optional"), "expected")),
        headers=section.texts("headers", ()),
        separator=section.marks("separator", ""),
        encoding=section.choice("encoding", _ENCODINGS, "utf-8"),
        key=section.parsed("key", Template.parse),
        image=_template(section, "image", names, "{id}"),
        several_rows=cast(
            SeveralRows,
            section.choice("several_rows", ("refuse", "merge", "majority"), "refuse"),
        ),
        columns={name: columns.texts(name) for name in columns.content},
        findings_form=cast(
            FindingsForm,
            section.choice("findings_form", ("separated", "python_list"), "separated"),
        ),
        findings_separators=section.marks("findings_separators", "|"),
        labels=_labels(labels) if labels.given else None,
        oldest_years=section.number("oldest_years") or OLDEST_YEARS,
        exclude=tuple(_row_exclusion(part) for part in section.sections("exclude")),
    )
    section.require_all_known()
    return result


def _sidecar(section: TomlSection, names: set[str]) -> Sidecar:
    facts = section.section("facts", required=True)
    facts.require_known(IMAGE_FACTS)
    result = Sidecar(
        _template(section, "file", names),
        section.choice("encoding", _ENCODINGS, "utf-8"),
        {name: facts.parsed(name, _expression)[0] for name in facts.content},
    )
    section.require_all_known()
    return result


def _expression(text: str) -> re.Pattern[str]:
    """A regular expression with a group."""
    try:
        found = re.compile(text, re.IGNORECASE | re.MULTILINE)
    except re.error as error:
        raise ValueError(f"a regular expression ({error})") from None
    if found.groups != 1:
        raise ValueError("a regular expression with one group (…)")
    return found


def _labels(section: TomlSection) -> Labels:
    given = section.content.get("columns")
    names = (
        section.words("columns")
        if isinstance(given, dict)
        else {name: name for name in section.texts("columns")}
    )
    result = Labels(
        names,
        positive=section.texts("positive", ("1",)),
        negative=section.texts("negative", ("0",)),
        uncertain=section.texts("uncertain", ("-1",)),
    )
    section.require_all_known()
    return result


def _row_exclusion(section: TomlSection) -> RowExclusion:
    result = RowExclusion(
        section.text("column"), section.texts("values"), _reason(section, "reason")
    )
    section.require_all_known()
    return result


def _known(section: TomlSection) -> KnownExclusion:
    result = KnownExclusion(_reason(section, "reason"), frozenset(section.texts("ids")))
    section.require_all_known()
    return result


def _split(section: TomlSection, names: set[str]) -> SplitList:
    result = SplitList(
        section.parsed("file", _below_root)[0],
        section.text("split"),
        _template(section, "key", {"line"}, "{line}"),
        _template(section, "image", names, "{id}"),
    )
    section.require_all_known()
    return result


def _views(section: TomlSection) -> Views:
    result = Views(section.texts("frontal", FRONTAL_VIEWS), section.flag("keep_unknown", True))
    section.require_all_known()
    return result


def _words(section: TomlSection) -> Mapping[str, Mapping[str, str]]:
    words = {name: section.words(name) for name in WORD_FACTS}
    section.require_all_known()
    return {name: found for name, found in words.items() if found}


def _template(
    section: TomlSection, key: str, names: set[str], default: str | None = None
) -> Template:
    """A template of what a path says."""
    found = section.parsed(key, Template.parse, None if default is None else (default,))
    unknown = [name for template in found for name in template.names if name not in names]
    if len(found) > 1 or unknown:
        expected = f"one text with names out of {', '.join(sorted(names))}"
        raise section.wrong(key, repr(section.content[key]), expected)
    return found[0]


def _zip_pattern(text: str) -> CorpusPattern:
    """A pattern of zips, whose members can be read in any order."""
    found = CorpusPattern.parse(text)
    if found.suffix != ".zip":
        raise ValueError("a pattern that ends in .zip")
    return found


def _below_root(text: str) -> str:
    """A path that stays below the root."""
    if "\\" in text or "\0" in text:
        raise ValueError("a path below the root with /, such as tables/train.csv")
    names_below_root(text, "tables/train.csv")
    return text


def _reason(section: TomlSection, key: str) -> str:
    text = section.text(key)
    if not text.replace("_", "").isalnum() or not text.isascii():
        raise section.wrong(key, repr(text), "letters, digits and _, such as broken_file")
    return text
