"""Colours that can be read: WCAG 2.2, 1.4.3 and 1.4.11, in both themes."""

import re
from pathlib import Path

import pytest

from dfsynth.report import browser

CSS = (Path(browser.__file__).parent / "static/report.css").read_text()


def theme(selector: str) -> dict[str, str]:
    block = CSS.split(selector, 1)[1].split("}", 1)[0]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))


def luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


THEMES = {"light": theme(":root {"), "dark": theme(':root[data-theme="dark"] {')}


@pytest.mark.parametrize("colours", THEMES.values(), ids=THEMES)
def test_texts_stand_out(colours: dict[str, str]) -> None:
    pairs = [
        (ink, ground)
        for ink in ("ink", "dim", "accent")
        for ground in ("paper", "page", "soft", "warn")
    ]
    pairs += [("kept", "paper"), ("handle", "paper"), ("accent-ink", "accent")]
    low = {p: contrast(colours[p[0]], colours[p[1]]) for p in pairs}
    assert {p: round(c, 2) for p, c in low.items() if c < 4.5} == {}


@pytest.mark.parametrize("colours", THEMES.values(), ids=THEMES)
def test_lines_and_bars_stand_out(colours: dict[str, str]) -> None:
    names = [*(f"line-{n}" for n in range(1, 8)), "kept", "handle"]
    assert [n for n in names if contrast(colours[n], colours["paper"]) < 3] == []
    assert contrast(colours["kept"], colours["all"]) > 1.5


def test_both_ways_to_the_dark_give_the_same_colours() -> None:
    assert theme(':root:not([data-theme="light"]) {') == THEMES["dark"]
