"""Markdown that shows what files say, and lets none of it act as markup."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from dfsynth.files.json_record import Json

_MARKUP: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;"} | {mark: f"\\{mark}" for mark in "\\`*_[]|~$@#"}
)
_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9./?=&%#~:+,_-]+")


def one_line(text: str) -> str:
    """The text on one line: what is not printable is written as in JSON, `\\u001b`.

    That also takes away characters that turn the direction of writing, and lone surrogates, which
    no file in UTF-8 can hold.
    """
    joined = " ".join(text.split())
    if joined.isprintable():
        return joined
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in joined)


def escape(text: str) -> str:
    """The text on one line, without a meaning in Markdown or HTML; addresses become no links."""
    shown = one_line(text).translate(_MARKUP)
    return shown.replace("://", ":\\//").replace("www.", "www\\.")


def link(text: str) -> str:
    """An address of the web as a link; any other text as `escape` gives it."""
    return f"<{text}>" if _ADDRESS.fullmatch(text) else escape(text)


def table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already; columns after the first are set flush right
    where their heading ends in a space."""
    marks = ["---:" if cell.endswith(" ") else "---" for cell in header]
    rows = ([cell.strip() for cell in header], marks, *lines)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def front_matter(entries: Mapping[str, Json]) -> str:
    """The entries as a YAML block; each value in JSON's spelling, which YAML reads as it is."""
    lines = (f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in entries.items())
    return "\n".join(("---", *lines, "---"))
