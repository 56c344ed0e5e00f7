"""Writes the page on the columns of manifests, from the schemas themselves.

    python scripts/columns_page.py docs/columns.md

A test tells whether the committed page is current.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from dfsynth.description.markdown import escape, table
from dfsynth.manifest import IMAGES, PAIRS, ManifestSchema
from dfsynth.score import SCORE_COLUMNS

_INTRODUCTION = """# Columns of the manifest

*Written by `make reference` from the schemas; change a meaning there.* Every column but those
marked *always* may be null. The same facts are in `manifests/schema-v3.json` and
`manifests/schema-pairs-v1.json`, and in the `README.md` and `croissant.json` of every store."""


def page() -> str:
    """The page as Markdown that ends with a line break."""
    sections = (
        _INTRODUCTION,
        f"## Images, schema version {IMAGES.version}",
        _columns(IMAGES),
        "What the scores are for is on [one page](trust.md).",
        f"## Pairs, schema version {PAIRS.version}",
        _columns(PAIRS),
    )
    return "\n\n".join(sections) + "\n"


def _columns(schema: ManifestSchema) -> str:
    header = ("column", "type", "unit", "meaning", "since")
    return table(header, _lines(schema))


def _lines(schema: ManifestSchema) -> Iterator[tuple[str, ...]]:
    scores = {score.name for score in SCORE_COLUMNS}
    for column in schema.columns:
        always = "" if column.nullable else ", always"
        score = "score: " if schema is IMAGES and column.name in scores else ""
        yield (
            f"`{column.name}`",
            f"`{column.type}`{always}",
            escape(column.unit or ""),
            score + escape(column.description),
            str(column.since),
        )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
