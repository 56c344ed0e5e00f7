"""One table of a corpus: read, grouped by what its rows are about, and typed."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dfsynth.errors import UsageError
from dfsynth.files.local_copies import local_copy
from dfsynth.files.object_path import AnyPath
from dfsynth.source import columns, metadata
from dfsynth.source.corpus import Corpus, CorpusTable
from dfsynth.source.labels import (
    FINDING_LISTS,
    POSITIVE,
    FindingPairs,
    Groups,
    add_states,
    count_states,
    list_pairs,
)
from dfsynth.source.named_files import NamedFiles
from dfsynth.source.problems import Complaint, complain_of_rows
from dfsynth.source.schema import Column
from dfsynth.source.template import Template

_SIZES: Final = (("width_mm", "width_px", "pitch_x_mm"), ("height_mm", "height_px", "pitch_y_mm"))
_LENGTHS: Final = ("width_mm", "height_mm", "width_px", "height_px", "pitch_x_mm", "pitch_y_mm")
_TEXTS: Final = ("patient_id", "view", "sex", "split")


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What one table says, one row for each key."""

    place: str
    """The file, or files, below the root."""
    keys: Column
    image: Template
    """What of an image equals a key."""
    facts: Mapping[str, Column]
    """By columns of a listing."""
    reasons: Column
    """Why images are left out; null for those that stay."""
    complaints: tuple[Complaint, ...]


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a table as texts, and which key each is about."""

    place: str
    cells: Mapping[str, Column]
    """By header."""
    keys: Column
    groups: Groups
    """The number of its key, for each row."""

    def first(self, header_cells: Column) -> Column:
        """For each key, the first text of its rows."""
        said = np.flatnonzero(pc.is_valid(header_cells).to_numpy(zero_copy_only=False))
        rows = np.full(len(self.keys), -1, np.int64)
        rows[self.groups[said[::-1]]] = said[::-1]
        return header_cells.take(pa.array(rows, pa.int64(), mask=rows < 0))


def find_files(table: CorpusTable, files: NamedFiles) -> list[str]:
    """The files of a table that lie below the root: one, or all."""
    found = [path for file in table.files for path in _matching(files, file)]
    return found[:1] if table.read == "first" else found


def _matching(files: NamedFiles, file: str) -> list[str]:
    if "*" in file:
        return files.fitting(file)
    if files.is_file(file):
        return [file]
    # Archives of one corpus come with names in other cases, and tables gunzipped.
    folder, _, name = file.rpartition("/")
    plain = name.lower().removesuffix(".gz")
    wanted = {plain, f"{plain}.gz"}
    others = files.paths_in(folder)
    return sorted(path for path in others if path.rpartition("/")[2].lower() in wanted)[:1]


def read_table(corpus: Corpus, table: CorpusTable, files: list[str], root: AnyPath) -> TableFacts:
    """Reads the files of one table, at least one; those in an object store are fetched whole.

    Raises:
        UsageError: a table that cannot be read, lacks its key, or contradicts itself.
        DfsynthError: the object store refuses.
    """
    complaints: list[Complaint] = []
    rows = _read_rows(corpus, table, files, root, complaints)
    raw = _texts_of(table, rows)
    facts = type_facts(raw, corpus, table.oldest_years, rows.place, complaints)
    facts.update(_findings(corpus, table, rows, complaints))
    return TableFacts(
        rows.place, rows.keys, table.image, facts, _reasons(table, rows), tuple(complaints)
    )


def type_facts(
    raw: Mapping[str, Column],
    corpus: Corpus,
    oldest_years: float,
    place: str,
    complaints: list[Complaint],
) -> dict[str, Column]:
    """Texts by names of `IMAGE_FACTS` → columns of a listing, but for findings."""
    raw = {name: columns.translate(v, corpus.words.get(name, {})) for name, v in raw.items()}
    facts: dict[str, Column] = {name: raw[name] for name in _TEXTS if name in raw}
    ages = raw.get("age")
    if "birth_year" in raw and "study_date" in raw:
        dated = columns.ages_at(raw["birth_year"], raw["study_date"])
        ages = dated if ages is None else pc.coalesce(ages, dated)
    if ages is not None:
        facts["age"], _ = columns.ages(ages, oldest_years)
        what = f"an age from 0 to {oldest_years:g} years"
        _complain(complaints, place, "age", ages, facts["age"], what)
    numbers: dict[str, Column] = {}
    for name in (*_LENGTHS, "pixel_mm"):
        if name in raw:
            numbers[name], _ = columns.lengths(raw[name])
            _complain(complaints, place, name, raw[name], numbers[name], "a positive number")
    for size, pixels, pitch in _SIZES:
        if pixels in numbers and pitch in numbers:
            numbers.setdefault(size, pc.multiply(numbers[pixels], numbers[pitch]))
    for name in ("width_mm", "height_mm", "pixel_mm"):
        if name in numbers:
            facts[name] = numbers[name].cast(pa.float32(), safe=False)
    return facts


def _complain(
    complaints: list[Complaint], place: str, name: str, given: Column, read: Column, what: str
) -> None:
    bad = pc.and_(pc.is_valid(given), pc.is_null(read)).to_numpy(zero_copy_only=False)
    if found := complain_of_rows(place, given, bad, name, columns.unread_words(name, what)):
        complaints.append(found)


def _read_rows(
    corpus: Corpus,
    table: CorpusTable,
    files: list[str],
    root: AnyPath,
    complaints: list[Complaint],
) -> _Rows:
    place = ", ".join(files)
    parts = []
    for file in files:
        with local_copy(root / file) as path:
            parts.append(_read_file(table, path, complaints))
    cells = {
        header: pa.concat_arrays(
            [part.get(header, pa.nulls(_rows_of(part), pa.string())) for part in parts]
        )
        for header in dict.fromkeys(header for part in parts for header in part)
    }
    keys = _without_root(cells.pop(_KEY), corpus.root_names)
    bad = pc.is_null(keys).to_numpy(zero_copy_only=False)
    no_key = f"no key {table.key[0].text} and"
    words = (
        f"row of {place} has {no_key} is about no image",
        f"rows of {place} have {no_key} are about no image",
    )
    if found := complain_of_rows(place, keys, bad, "key", words):
        complaints.append(found)
    kept = pc.is_valid(keys)
    encoded = keys.filter(kept).dictionary_encode()
    rows = _Rows(
        place,
        {header: values.filter(kept) for header, values in cells.items()},
        encoded.dictionary,
        encoded.indices.to_numpy().astype(np.int64),
    )
    if table.several_rows == "refuse":
        _require_one_row(rows, np.flatnonzero(~bad))
    return rows


_KEY: Final = "\0key"


def _rows_of(part: Mapping[str, Column]) -> int:
    return len(part[_KEY])


def _read_file(table: CorpusTable, path: Path, complaints: list[Complaint]) -> dict[str, Column]:
    """The wanted columns of one file by their headers in the corpus file, and the key."""
    form = metadata.TextFormat(table.headers, table.separator, table.encoding)
    found = metadata.headers(path, form)
    there = {metadata.key(header): header for header in reversed(found)}
    wanted = _wanted_headers(table)
    headers = {name: there[metadata.key(name)] for name in wanted if metadata.key(name) in there}
    key = next((k for k in table.key if all(name in headers for name in k.names)), None)
    if key is None:
        raise UsageError(
            f"the table {path.name} lacks the columns of its key: found "
            f"{', '.join(map(repr, found))}; expected {' or '.join(k.text for k in table.key)}"
            f"{_nearest(table.key[0].names, found)}; fetch the table again or mend the corpus file"
        )
    complaints.extend(_missing_columns(table, path, headers, found))
    chunks = list(metadata.read_columns(path, headers, form))
    cells = {
        name: pa.concat_arrays([pa.array([], pa.string()), *(chunk[name] for chunk in chunks)])
        for name in headers
    }
    cells[_KEY] = key.fill(cells, len(next(iter(cells.values()))))
    return cells


def _wanted_headers(table: CorpusTable) -> list[str]:
    return list(
        dict.fromkeys(
            (
                *(name for key in table.key for name in key.names),
                *(header for headers in table.columns.values() for header in headers),
                *(table.labels.names if table.labels else ()),
                *(exclusion.column for exclusion in table.exclude),
            )
        )
    )


def _missing_columns(
    table: CorpusTable, path: Path, headers: Mapping[str, str], found: list[str]
) -> list[Complaint]:
    """Facts, labels and exclusions whose columns the file lacks."""
    groups = [
        *table.columns.values(),
        *((header,) for header in (table.labels.names if table.labels else ())),
        *((exclusion.column,) for exclusion in table.exclude),
    ]
    return [
        Complaint(
            f"the table {path.name} has no column {' or '.join(group)}{_nearest(group, found)}"
        )
        for group in groups
        if not any(header in headers for header in group)
    ]


def _nearest(wanted: tuple[str, ...], found: list[str]) -> str:
    near = [name for header in wanted for name in difflib.get_close_matches(header, found, 1)]
    return f" (nearest: {near[0]!r})" if near else ""


def _without_root(keys: Column, names: tuple[str, ...]) -> Column:
    """Keys as paths from the root: with `/`, and without the corpus's own folder in front."""
    plain = pc.replace_substring(keys, "\\", "/")
    plain = pc.replace_substring_regex(plain, r"^(?:\./)+", "")
    for name in names:
        starts = pc.starts_with(plain, name + "/")
        plain = pc.if_else(starts, pc.utf8_slice_codeunits(plain, len(name) + 1), plain)
    return plain


def _require_one_row(rows: _Rows, numbers: NDArray[np.int64]) -> None:
    counts = np.bincount(rows.groups, minlength=len(rows.keys))
    repeated = np.flatnonzero(counts > 1)
    if not len(repeated):
        return
    shown = []
    for group in repeated[:3]:
        where = ", ".join(str(row + 1) for row in numbers[rows.groups == group][:3])
        shown.append(f"{rows.keys[int(group)].as_py()!r} ({counts[group]} times, in rows {where})")
    more = f" and {len(repeated) - 3} more" if len(repeated) > 3 else ""
    raise UsageError(
        f"image ids come more than once in the table {rows.place}: {', '.join(shown)}{more}; "
        "expected one row each: remove the copies, or say in the corpus file what to do with "
        "several_rows"
    )


def _texts_of(table: CorpusTable, rows: _Rows) -> dict[str, Column]:
    """For each key the facts as texts, by the first row and column that says something."""
    raw = {}
    for name, headers in table.columns.items():
        there = [rows.cells[header] for header in headers if header in rows.cells]
        if there and name != POSITIVE:
            raw[name] = rows.first(pc.coalesce(*there))
    return raw


def _findings(
    corpus: Corpus, table: CorpusTable, rows: _Rows, complaints: list[Complaint]
) -> dict[str, Column]:
    pairs = {name: FindingPairs() for name in FINDING_LISTS}
    words = corpus.words.get(POSITIVE, {})
    headers = table.columns.get(POSITIVE, ())
    there = [rows.cells[header] for header in headers if header in rows.cells]
    if there:
        cells = pc.coalesce(*there)
        lists = (
            columns.python_lists(cells)
            if table.findings_form == "python_list"
            else columns.findings(cells, table.findings_separators)
        )
        _complain(complaints, rows.place, POSITIVE, cells, lists, "a list such as \"['edema']\"")
        lists = columns.translate_lists(lists, words)
        pairs[POSITIVE].add(*list_pairs(lists, rows.groups))
    if table.labels is not None:
        states = count_states(rows.cells, table.labels, rows.groups, len(rows.keys))
        for header, unknown in states.unknown.items():
            no_state = "no state that the corpus file names; taken as blank"
            said = f"cell of {header} is {no_state}", f"cells of {header} are {no_state}"
            if found := complain_of_rows(rows.place, rows.cells[header], unknown, header, said):
                complaints.append(found)
        names = columns.translate(pa.array(states.names, pa.string()), words)
        add_states(pairs, states, names, table.several_rows == "majority")
    used = FINDING_LISTS if table.labels is not None else (POSITIVE,)
    return {name: pairs[name].lists(len(rows.keys)) for name in used if pairs[name].values}


def _reasons(table: CorpusTable, rows: _Rows) -> Column:
    """Why the images of each key are left out, by the first exclusion that one of its rows fits."""
    reasons = pa.nulls(len(rows.keys), pa.string())
    for exclusion in table.exclude:
        if exclusion.column not in rows.cells:
            continue
        named = pa.array([value.lower() for value in exclusion.values], pa.string())
        hit = pc.is_in(pc.utf8_lower(rows.cells[exclusion.column]), value_set=named)
        mask = np.zeros(len(rows.keys), bool)
        mask[rows.groups[hit.to_numpy(zero_copy_only=False)]] = True
        found = pc.if_else(
            pa.array(mask), pa.scalar(exclusion.reason), pa.scalar(None, pa.string())
        )
        reasons = pc.coalesce(reasons, found)
    return reasons
