"""Writes the page on error codes, from the codes themselves.

    python scripts/error_codes_page.py docs/error-codes.md

A test tells whether the committed page is current.
"""

import sys
from pathlib import Path

from dfsynth.description.markdown import escape, table
from dfsynth.errors import ErrorCode

_INTRODUCTION = """# Error codes

*Written by `make reference` from the codes themselves.* An image that fails ends no run. It becomes
one row with `status = "failed"`, with the code below in `error_code` and a sentence of its own in
`error`, which says what was found in this file. `dfsynth info` counts the codes of a store."""

_AFTER = """Once files are mended, the same command with `--retry-failed` makes the failed rows anew
and nothing else, or those of some codes: `--retry-failed=timeout,unreadable`. With `--strict` a
build in which images failed ends with [status 3](commands.md#exit-statuses). Pairs of
`dfsynth simulate` have the same codes, for the volumes and radiographs that they are made of."""


def page() -> str:
    """The page as Markdown that ends with a line break."""
    rows = ((f"`{each}`", escape(each.meaning), escape(each.remedy)) for each in ErrorCode)
    codes = table(("code", "meaning", "what to do"), rows)
    return "\n\n".join((_INTRODUCTION, codes, _AFTER)) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
