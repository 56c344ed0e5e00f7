"""Text is measured, cut and kept inside its box."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfsynth.report.text import (
    BODY,
    HEADING,
    SMALL,
    TITLE,
    drawable,
    shorten,
    width_of,
    wrap,
    write,
)

ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)


@settings(deadline=None)
@given(text=st.text(max_size=40))
def test_any_text_becomes_drawable(text: str) -> None:
    assert all(" " <= letter <= "~" for letter in drawable(text))


def test_accents_are_dropped_and_the_rest_marked() -> None:
    assert drawable("Größe – naïve σ") == "Gro?e - naive ?"


@settings(deadline=None)
@given(text=ASCII, width=st.integers(0, 300), keep_end=st.booleans())
def test_shortened_text_fits_and_keeps_what_it_can(text: str, width: int, keep_end: bool) -> None:
    short = shorten(text, BODY, width, keep_end)
    assert short == "" or width_of(short, BODY) <= width
    if width_of(text, BODY) <= width:
        assert short == text
    elif short:
        kept = short.removeprefix("...") if keep_end else short.removesuffix("...")
        assert text.endswith(kept) if keep_end else text.startswith(kept)


@settings(deadline=None)
@given(words=st.lists(st.text("abcWim.", min_size=1, max_size=12), max_size=20))
def test_wrapped_lines_fit_and_lose_no_word(words: list[str]) -> None:
    lines = wrap(" ".join(words), SMALL, 200)
    assert all(width_of(line, SMALL) <= 200 for line in lines)
    assert " ".join(lines).split() == words


@pytest.mark.parametrize("face", [TITLE, HEADING, BODY, SMALL])
@pytest.mark.parametrize("align", ["left", "centre", "right"])
def test_letters_stay_inside_their_line(face, align) -> None:
    """Drawn on a taller canvas, the deepest and highest letters fit the height of a line."""
    canvas = np.zeros((face.line + 40, 400, 3), dtype=np.uint8)
    write(canvas, "Ågjpqy|(X)".replace("Å", "A"), face, (255, 255, 255), align)
    rows = np.flatnonzero(canvas.any(axis=(1, 2)))
    assert rows[0] >= 20
    assert rows[-1] < 20 + face.line
    columns = np.flatnonzero(canvas.any(axis=(0, 2)))
    middle = (columns[0] + columns[-1]) / 2
    assert {"left": middle < 100, "centre": 190 < middle < 210, "right": middle > 300}[align]


def test_nothing_outside_the_view_changes() -> None:
    page = np.zeros((60, 200, 3), dtype=np.uint8)
    write(page[20:40, 50:80], "far too long for thirty pixels", BODY, (255, 255, 255))
    assert page[20:40, 50:80].any()
    page[20:40, 50:80] = 0
    assert not page.any()
