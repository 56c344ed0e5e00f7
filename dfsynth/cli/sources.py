"""`dfsynth sources`."""

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from dfsynth.cli.console import console_of
from dfsynth.cli.hanging import hanging_lines
from dfsynth.cli.options import JsonFlag, Quiet, Verbose

if TYPE_CHECKING:
    from dfsynth.source import Corpus

EXAMPLE = "Example: dfsynth sources"

_LABEL: Final = 10  # columns, the space behind the longest label included


def sources(json: JsonFlag = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """List the known corpora: licence, layout, size, and how to obtain them."""
    with console_of(json, quiet, verbose) as console:
        from dfsynth.files.json_record import stored_entries
        from dfsynth.source import known_corpora

        corpora = known_corpora()
        columns = shutil.get_terminal_size().columns
        blocks = ["\n".join(_lines(corpus, columns)) for corpus in corpora]
        console.result([stored_entries(c) for c in corpora], "\n\n".join(blocks))


def _lines(corpus: "Corpus", columns: int) -> Iterator[str]:
    """What people want to know of a corpus, each fact with a hanging indent."""
    yield from hanging_lines(corpus.name, corpus.title, _LABEL, columns)
    facts = [
        ("licence", corpus.license),
        ("citation", corpus.citation),
        ("homepage", corpus.homepage),
        ("size", _size(corpus)),
        ("layout", corpus.layout),
        ("obtain", corpus.obtain),
        *(("" if number else "quirks", f"- {q}") for number, q in enumerate(corpus.quirks)),
    ]
    for label, text in facts:
        if text:
            yield from hanging_lines(label, text, _LABEL, columns, indent=2)


def _size(corpus: "Corpus") -> str:
    known = [] if corpus.images is None else [f"{corpus.images:,} images"]
    if corpus.patients is not None:
        known.append(f"{corpus.patients:,} patients")
    if corpus.gigabytes is not None:
        known.append(f"{corpus.gigabytes:g} GB")
    return ", ".join(known)
