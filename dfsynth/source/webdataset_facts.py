"""Facts that a WebDataset keeps beside an image, in members of the same key."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.counted_nouns import counted
from dfsynth.source import columns, exclusion
from dfsynth.source.schema import ChunkedColumn, Column
from dfsynth.source.standard_columns import STANDARD_NAMES, standard_headers, typed

_SUFFIXES: Final = (".json", ".cls")
_MOST_BYTES: Final = 1 << 20
"""A larger member is no description of one image."""
_NAMES: Final = tuple(name for name in STANDARD_NAMES if name != "image_id")


class MemberFacts:
    """Gathers the members .json and .cls of a tar, then tells what they say of its images.

    A key is a name up to the first dot behind its last `/`, as WebDataset has it. A .json holds
    an object, whose entries of standard names are taken (see `standard_columns`); a .cls holds
    the class of the image, which is its finding where the .json gives none.
    """

    def __init__(self) -> None:
        self._facts: dict[str, dict[str, str | list[str]]] = {}
        self._reasons: dict[str, list[str]] = {}
        self._unreadable = 0

    def wants(self, name: str, size_bytes: int) -> bool:
        """Whether the content of the member is to be added."""
        return name.lower().endswith(_SUFFIXES) and size_bytes <= _MOST_BYTES

    def add(self, name: str, content: bytes, reason: str) -> None:
        """Takes a member in; `reason` is why it is left out where no image has its key."""
        key = key_of(name)
        self._reasons.setdefault(key, []).append(reason)
        try:
            text = content.decode("utf-8-sig").strip()
            if name.lower().endswith(".cls"):
                self._facts.setdefault(key, {}).setdefault("findings", [text])
            else:
                self._facts.setdefault(key, {}).update(_facts_of(json.loads(text)))
        except (ValueError, RecursionError):
            self._unreadable += 1

    def about(
        self, ids: ChunkedColumn, excluded: Counter[str]
    ) -> tuple[dict[str, ChunkedColumn], tuple[str, ...]]:
        """Columns of a listing for the images `ids`, and complaints; counts what is used."""
        if not self._reasons:
            return {}, ()
        keys = [key_of(str(name)) for chunk in ids.chunks for name in chunk.to_pylist()]
        used = set(keys)
        for key, reasons in self._reasons.items():
            if key in used:
                excluded[exclusion.FACTS] += len(reasons)
            else:
                excluded.update(reasons)
        unread: Counter[str] = Counter()
        given = [self._facts.get(key, {}) for key in keys]
        raw = {name: _column(name, given) for name in _NAMES if any(name in g for g in given)}
        found = {name: pa.chunked_array([column]) for name, column in typed(raw, unread).items()}
        return found, (*columns.unread_sentences(unread), *self._complaints())

    def _complaints(self) -> Iterator[str]:
        if self._unreadable:
            yield (
                f"{counted(self._unreadable, 'member')} .json or .cls not read, for being "
                "something else; write a JSON object, or one text, in UTF-8"
            )


def key_of(name: str) -> str:
    """The name of a member up to its first dot, folders included."""
    folders, slash, last = name.rpartition("/")
    return folders + slash + last.partition(".")[0]


def _facts_of(content: object) -> dict[str, str | list[str]]:
    """The entries of standard names that hold something.

    Raises:
        ValueError: no JSON object.
    """
    if not isinstance(content, dict):
        raise ValueError("no object")
    found: dict[str, str | list[str]] = {}
    for name, header in standard_headers(map(str, content)).items():
        value = content[header]
        if name == "findings" and isinstance(value, list):
            found[name] = [str(finding) for finding in value]
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            found[name] = str(value)
    return found


def _column(name: str, given: list[dict[str, str | list[str]]]) -> Column:
    if name != "findings":
        return columns.texts(pa.array([facts.get(name) for facts in given], pa.string()))
    lists = [facts.get(name) for facts in given]
    texts = pa.array([value if isinstance(value, str) else None for value in lists], pa.string())
    split = columns.findings(texts, "|;")
    whole = pa.array(
        [value if isinstance(value, list) else None for value in lists], pa.list_(pa.string())
    )
    return pc.coalesce(whole, split)
