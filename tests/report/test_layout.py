"""Boxes: inside the sheet, and never over one another."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfsynth.report.layout import MAX_WIDTH, Box, SheetLayout, block_grid, choose_grid


def _boxes(layout: SheetLayout, images: int) -> list[Box]:
    boxes = [layout.title, layout.rule]
    boxes += [layout.footer(number) for number in range(layout.footer_lines)]
    for group in range(layout.grid.groups):
        if layout.has_blocks:
            boxes.append(layout.block(group))
        for column in range(layout.grid.columns):
            header = layout.header(group, column)
            boxes += [header.title, header.bar, header.ticks]
    for image in range(images):
        boxes += [layout.panel(image, column) for column in range(layout.grid.columns)]
        boxes += [layout.caption(image, line) for line in range(layout.caption_lines)]
    return boxes


def _apart(one: Box, other: Box) -> bool:
    return (
        one.left + one.width <= other.left
        or other.left + other.width <= one.left
        or one.top + one.height <= other.top
        or other.top + other.height <= one.top
    )


@settings(deadline=None)
@given(
    images=st.integers(1, 45),
    columns=st.integers(1, 12),
    caption_lines=st.integers(1, 2),
    footer_lines=st.integers(0, 3),
    height=st.integers(1, 224),
    blocks=st.integers(0, 3),
)
def test_boxes_lie_apart_and_inside(
    images: int, columns: int, caption_lines: int, footer_lines: int, height: int, blocks: int
) -> None:
    grid = block_grid(blocks, columns) if blocks else choose_grid(images, columns)
    heights = (min(height, grid.panel),) * -(-images // grid.groups)
    layout = SheetLayout(grid, heights, caption_lines, footer_lines, has_blocks=blocks > 0)
    boxes = _boxes(layout, images)
    assert layout.width <= MAX_WIDTH
    for box in boxes:
        assert box.width > 0
        assert box.height > 0
        assert 0 <= box.left <= layout.width - box.width
        assert 0 <= box.top <= layout.height - box.height
    near = [*boxes[:40], *boxes[-40:]]
    assert all(_apart(one, other) for one, other in combinations(dict.fromkeys(near), 2))


@pytest.mark.parametrize(
    ("images", "columns", "groups", "panel"),
    [
        (1, 4, 1, 224),
        (4, 4, 1, 224),
        (5, 4, 2, 224),
        (40, 4, 3, 182),
        (9, 9, 1, 224),
        (1, 40, 1, 50),
    ],
)
def test_the_grid_grows_with_the_images(images: int, columns: int, groups: int, panel: int) -> None:
    grid = choose_grid(images, columns)
    assert (grid.groups, grid.panel) == (groups, panel)


def test_too_many_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="60 columns do not fit"):
        choose_grid(1, 60)
    with pytest.raises(ValueError, match="30 columns do not fit"):
        block_grid(2, 30)
