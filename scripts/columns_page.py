"""Writes the page on the columns of manifests, from the schemas themselves.

    python scripts/columns_page.py docs/columns.md

A test tells whether the committed page is current.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from dfsynth.description.markdown import escape, table
from dfsynth.manifest import IMAGES, ManifestSchema, pair_schema
from dfsynth.score import SCORE_COLUMNS
from dfsynth.tasks import task_names

_INTRODUCTION = """# Columns of the manifest

*Written by `make reference` from the schemas; change a meaning there.* Every column but those
marked *always* may be null. The same facts are in `manifests/schema-v3.json` and
`manifests/schema-pairs-v1.json` (of other tasks `schema-pairs-TASK-v1.json`), and in the
`README.md` and `croissant.json` of every store."""


def page() -> str:
    """The page as Markdown that ends with a line break."""
    sections = (
        _INTRODUCTION,
        f"## Images, schema version {IMAGES.version}",
        _columns(IMAGES),
        "What the scores are for is on [one page](trust.md).",
        *(part for task in task_names() for part in _pairs(task)),
    )
    return "\n\n".join(sections) + "\n"


def _pairs(task: str) -> tuple[str, str]:
    schema = pair_schema(task)
    return f"## Pairs of {task}, schema version {schema.version}", _columns(schema)


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
