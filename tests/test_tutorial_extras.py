"""Pages that are run say which extras of dfsynth whoever follows them has to install."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(
    path
    for path in DOCS.rglob("*.md")
    if path.read_text(encoding="utf-8").startswith("---\nfile_format: mystnb")
)
CELL = re.compile(r"```\{code-cell\} ipython3\n(.*?)```", re.DOTALL)
INSTALLED = re.compile(r"pip install '\.\[([a-z0-9,]+)\]'")
SIGNS = {
    "simulate": re.compile(r"dfsynth[ .]simulate"),
    "train": re.compile(r"dfsynth[ .]evaluate|matplotlib"),
    "pandas": re.compile(r"pandas"),
    "dicom": re.compile(r"--to dicom"),
    "xarray": re.compile(r"xarray"),
}
"""Extra → what a cell says that needs a library of it."""


def test_pages_are_found() -> None:
    assert {"first-store", "classifier", "gallery"} <= {path.stem for path in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_page_names_the_extras_that_its_cells_need(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    cells = "\n".join(CELL.findall(text))
    needed = {extra for extra, sign in SIGNS.items() if sign.search(cells)}
    before = text[: text.index("```{code-cell}")]
    named = {extra for group in INSTALLED.findall(before) for extra in group.split(",")}
    assert named == needed
