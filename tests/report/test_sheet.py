"""Contact sheets: the right colours in the right places, and the same sheet every time."""

from typing import Any

import cv2
import numpy as np
import pytest

import dfsynth.report
from dfsynth.options import IMAGE_SUFFIXES
from dfsynth.report import (
    SheetColumn,
    SheetRow,
    colour_table,
    contact_sheet,
    encode_image,
    encode_png,
)
from dfsynth.report.colours import hatch
from dfsynth.report.layout import SheetLayout, block_grid, choose_grid
from dfsynth.report.panel import SLOT, draw_map
from dfsynth.report.sheet import BACKGROUND

COLUMNS = (
    SheetColumn("attenuation", "grey value", "gray", 0.0, 1.0),
    SheetColumn("dark-field", "line integral", "inferno", -0.1, 0.4),
)
FOOTER = "Synthetic images, not for diagnosis."


def _flat(value: float, shape: tuple[int, int] = (64, 64)) -> np.ndarray:
    return np.full(shape, value, dtype=np.float32)


def _row(*images: np.ndarray | None, **options: Any) -> SheetRow:
    return SheetRow(("images/a.png", "uncertainty 0.012"), images, **options)


def _sheet(*rows: SheetRow) -> np.ndarray:
    return contact_sheet(rows, COLUMNS, "demo.zarr", FOOTER)


def _layout(rows: int, *heights: int, footer_lines: int = 1) -> SheetLayout:
    return SheetLayout(choose_grid(rows, len(COLUMNS)), heights, 1, footer_lines)


def test_the_sheet_is_an_rgb_image_of_the_planned_size() -> None:
    sheet = _sheet(_row(_flat(0.5), _flat(0.1)), _row(_flat(0.1), None))
    layout = _layout(2, 224, 224)
    assert sheet.shape == (layout.height, layout.width, 3)
    assert sheet.dtype == np.uint8


def test_panels_take_the_colours_of_their_values() -> None:
    sheet = _sheet(_row(_flat(0.0), _flat(-0.1)), _row(_flat(1.0), _flat(0.4)))
    layout = _layout(2, 224, 224)
    for column, name in enumerate(("gray", "inferno")):
        for image, index in ((0, 0), (1, 255)):
            panel = layout.panel(image, column).of(sheet)
            assert (panel == colour_table(name)[index]).all()


def test_one_scale_serves_all_images_of_a_column() -> None:
    ramp = np.linspace(-0.1, 0.4, 64, dtype=np.float32)[None].repeat(64, axis=0)
    sheet = _sheet(_row(None, _flat(0.15)), _row(None, ramp))
    layout = _layout(2, 224, 224)
    (flat,) = np.unique(layout.panel(0, 1).of(sheet).reshape(-1, 3), axis=0)
    row = layout.panel(1, 1).of(sheet)[100].astype(int)
    nearest = np.abs(row - flat.astype(int)).sum(axis=1).argmin()
    assert nearest == pytest.approx(112, abs=2)


def test_the_colour_bar_runs_from_the_first_colour_to_the_last() -> None:
    sheet = _sheet(_row(_flat(0.0), _flat(0.0)))
    bar = _layout(1, 224).header(0, 1).bar.of(sheet)
    table = colour_table("inferno")
    assert (bar[:, 0] == table[0]).all()
    assert (bar[:, -1] == table[255]).all()
    assert (bar[0] == bar[-1]).all()


def test_a_map_that_is_not_stored_says_so() -> None:
    panel = _layout(1, 224).panel(0, 0).of(_sheet(_row(None, _flat(0.2))))
    written = (panel != SLOT).any(axis=2)
    assert 0 < written.mean() < 0.05
    assert not written[:90].any()
    assert not written[-90:].any()


def test_a_failed_map_is_hatched_and_says_why() -> None:
    plain = _layout(1, 224).panel(0, 0).of(_sheet(_row(_flat(np.nan), _flat(0.2))))
    named = (
        _layout(1, 224).panel(0, 0).of(_sheet(_row(_flat(np.nan), _flat(0.2), failure="truncated")))
    )
    np.testing.assert_array_equal(named[:80], hatch(224, 224)[:80])
    np.testing.assert_array_equal(plain[:80], hatch(224, 224)[:80])
    assert (named != plain).any()


def test_single_unknown_pixels_are_hatched_and_leave_their_neighbours_alone() -> None:
    values = _flat(0.4, (256, 256))
    values[64:128, 64:128] = np.nan
    canvas = np.zeros((128, 128, 3), dtype=np.uint8)
    draw_map(canvas, values, "inferno", (0.0, 0.4))
    gap = np.zeros((128, 128), dtype=bool)
    gap[32:64, 32:64] = True
    assert (canvas[~gap] == colour_table("inferno")[255]).all()
    np.testing.assert_array_equal(canvas[gap], hatch(128, 128)[gap])


def test_a_pixel_that_covers_mostly_unknown_ones_is_hatched() -> None:
    values = _flat(0.4, (64, 64))
    values[:, 13:16] = np.nan
    values[:, 33] = np.nan
    canvas = np.zeros((16, 16, 3), dtype=np.uint8)
    draw_map(canvas, values, "inferno", (0.0, 0.4))
    np.testing.assert_array_equal(canvas[:, 3], hatch(16, 16)[:, 3])
    assert (np.delete(canvas, 3, axis=1) == colour_table("inferno")[255]).all()


@pytest.mark.parametrize(("shape", "height"), [((100, 200), 112), ((200, 100), 224)])
def test_the_aspect_is_kept(shape: tuple[int, int], height: int) -> None:
    sheet = _sheet(_row(_flat(1.0, shape), _flat(0.0, shape)))
    layout = _layout(1, height)
    assert sheet.shape[0] == layout.height
    white = (layout.panel(0, 0).of(sheet) == 255).all(axis=2)
    rows, columns = np.flatnonzero(white.any(axis=1)), np.flatnonzero(white.any(axis=0))
    assert len(rows) / len(columns) == shape[0] / shape[1]
    assert abs((columns[0] + columns[-1]) - 223) <= 1
    assert set(np.unique(layout.panel(0, 0).of(sheet)[~white])) <= set(SLOT)


def test_a_wide_image_takes_no_more_height_than_it_has() -> None:
    image = np.ones((32, 64), np.float32)
    sheet = _sheet(_row(image, image))
    panel = _layout(1, 112).panel(0, 0).of(sheet)
    assert panel.shape == (112, 224, 3)
    assert (panel == 255).all()


def test_nothing_is_drawn_between_the_boxes() -> None:
    rows = [_row(_flat(1.0), _flat(0.4)) for _ in range(9)]
    long = SheetRow(("long/" * 60 + "a.png", "no_lung " * 60), (_flat(1.0), None))
    sheet = contact_sheet([*rows, long], COLUMNS, "demo " * 80, FOOTER * 40)
    footer_lines = 1
    layout = SheetLayout(choose_grid(10, 2), (224,) * 5, 2, footer_lines)
    while layout.height < sheet.shape[0]:
        footer_lines += 1
        layout = SheetLayout(choose_grid(10, 2), (224,) * 5, 2, footer_lines)
    assert footer_lines > 1
    boxes = [layout.title, layout.rule, *(layout.footer(n) for n in range(footer_lines))]
    for column in range(2):
        for group in range(2):
            header = layout.header(group, column)
            boxes += [header.title, header.bar, header.ticks]
        boxes += [layout.panel(image, column) for image in range(10)]
    boxes += [layout.caption(image, line) for image in range(10) for line in range(2)]
    for box in boxes:
        box.of(sheet)[:] = BACKGROUND
    assert (sheet == BACKGROUND).all()


def test_images_stand_in_reading_order() -> None:
    rows = [_row(_flat(20 * i / 255), _flat(0.0)) for i in range(10)]
    layout = _layout(10, *(224,) * 5)
    sheet = _sheet(*rows)
    shades = [int(layout.panel(image, 0).of(sheet)[0, 0, 0]) for image in range(10)]
    assert shades == [20 * i for i in range(10)]
    assert layout.panel(1, 0).top == layout.panel(0, 0).top


def test_images_go_to_titled_blocks_in_turn() -> None:
    rows = [_row(_flat(20 * i / 255), _flat(0.0)) for i in range(4)]
    sheet = contact_sheet(rows, COLUMNS, "demo.zarr", FOOTER, blocks=("Worst 2", "Best 2"))
    layout = SheetLayout(block_grid(2, 2), (224, 224), 1, 1, has_blocks=True)
    assert sheet.shape == (layout.height, layout.width, 3)
    worst, best = layout.panel(2, 0), layout.panel(3, 0)
    assert worst.left < layout.block(1).left == best.left
    assert [int(box.of(sheet)[0, 0, 0]) for box in (worst, best)] == [40, 60]
    for group in range(2):
        written = (layout.block(group).of(sheet) != BACKGROUND).any(axis=2)
        assert written[-1].all(), "a line under the title"
        assert 0 < written[:-2].mean() < 0.2


def test_equal_input_gives_equal_bytes() -> None:
    values = np.random.default_rng(5).random((90, 70), dtype=np.float32)
    first, second = (encode_png(_sheet(_row(values, values.copy()))) for _ in range(2))
    assert first == second


def test_input_is_left_as_it_was() -> None:
    values = np.random.default_rng(5).random((90, 70), dtype=np.float32)
    values.flags.writeable = False
    _sheet(_row(values, values))


def test_half_precision_maps_are_drawn_too() -> None:
    half = np.full((32, 32), 1.0, dtype=np.float16)
    panel = _layout(1, 224).panel(0, 0).of(_sheet(_row(half, None)))
    assert (panel == 255).all()


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        contact_sheet([], COLUMNS, "", "")
    with pytest.raises(ValueError, match="1 map for 2 columns"):
        _sheet(_row(_flat(0.0)))
    with pytest.raises(ValueError, match="axes"):
        _sheet(_row(_flat(0.0), np.zeros((3, 4, 5), np.float32)))
    with pytest.raises(ValueError, match="axes"):
        _sheet(_row(_flat(0.0), np.zeros((0, 4), np.float32)))
    with pytest.raises(ValueError, match="low < high"):
        SheetColumn("x", "", "gray", 1.0, 1.0)
    with pytest.raises(ValueError, match="no colour map"):
        SheetColumn("x", "", "rainbow", 0.0, 1.0)


def test_png_holds_the_image() -> None:
    sheet = _sheet(_row(_flat(0.3), _flat(0.3)))
    decoded = cv2.imdecode(np.frombuffer(encode_png(sheet), np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    np.testing.assert_array_equal(decoded[..., ::-1], sheet)
    with pytest.raises(ValueError, match="expected uint8"):
        encode_png(sheet.astype(np.float32))
    with pytest.raises(ValueError, match="expected uint8"):
        encode_png(sheet[..., 0])


@pytest.mark.parametrize("suffix", IMAGE_SUFFIXES)
def test_an_image_file_is_of_the_kind_that_its_name_says(suffix: str) -> None:
    starts = {
        ".png": b"\x89PNG",
        ".jpg": b"\xff\xd8\xff",
        ".jpeg": b"\xff\xd8\xff",
        ".webp": b"RIFF",
    }
    sheet = _sheet(_row(_flat(0.3), _flat(0.3)))
    encoded = encode_image(sheet, suffix)
    assert encoded.startswith(starts[suffix])
    decoded = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    allowed = 0 if suffix in (".png", ".webp") else 40
    assert int(cv2.absdiff(decoded[..., ::-1], sheet).max()) <= allowed


def test_an_image_too_large_for_its_kind_is_refused() -> None:
    with pytest.raises(ValueError, match=r"cannot be held by a \.webp file"):
        encode_image(np.zeros((16_384, 8, 3), np.uint8), ".webp")


def test_public_names_exist() -> None:
    for name in dfsynth.report.__all__:
        assert hasattr(dfsynth.report, name)
