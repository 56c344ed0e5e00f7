"""Panels of a training are labelled as its task says."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from drawn_networks import drawn_cascade

from dfsynth.datasets import PairBatch
from dfsynth.report import SheetColumn, SheetRow
from dfsynth.tasks import DEFAULT_TASK, task_named
from dfsynth.train.monitor import Monitor, _columns, _rows
from dfsynth.train.run_folder import RunFolder
from dfsynth.train.validation import predict_without_dropout

SLICES = task_named("dark-field-ct")


def test_radiographs_are_grey_values_and_line_integrals():
    assert _columns(2, task_named(DEFAULT_TASK), (0.0, 0.8)) == [
        SheetColumn("attenuation", "grey value", "gray", 0.0, 1.0),
        SheetColumn("target", "line integral", "gray", 0.0, 0.8),
        SheetColumn("stage 1", "line integral", "gray", 0.0, 0.8),
        SheetColumn("stage 2", "line integral", "gray", 0.0, 0.8),
        SheetColumn("sigma", "line integral", "viridis", 0.0, 0.4),
    ]


def test_slices_are_in_their_unit_and_window():
    given, target, stage, sigma = _columns(1, SLICES, (0.0, 4.0))
    assert (given.title, given.unit, given.vmin, given.vmax) == ("one rotation", "1/m", 0.0, 5.0)
    assert {column.unit for column in (target, stage, sigma)} == {"1/m"}
    assert (target.vmax, sigma.vmax) == (4.0, 2.0)


@pytest.mark.parametrize(("sigma", "top"), [(30.0, 31.25), (600.0, 1000.0), (5000.0, 1000.0)])
def test_a_small_sigma_is_seen(sigma: float, top: float):
    rising = np.linspace(0, sigma, 64, dtype=np.float32).reshape(8, 8)
    rows = [SheetRow(("a",), (np.zeros((8, 8), np.float32), rising))]
    columns = _columns(1, task_named("pet-ct"), (-1000.0, 1000.0), rows)
    assert columns[-1].vmax == top


def test_one_sigma_for_all_pixels_is_said_and_not_in_the_last_colour():
    images = (np.zeros((8, 8), np.float32), np.full((8, 8), 243, np.float32))
    rows = [SheetRow(("a",), images)]
    sigma = _columns(1, task_named("pet-ct"), (-1000.0, 1000.0), rows)[-1]
    assert (sigma.title, sigma.vmax) == ("sigma: 243 HU everywhere", 500.0)


def test_inputs_are_shown_in_their_unit():
    task = replace(
        SLICES,
        input=replace(SLICES.input, intensity=(-1.0, 3.0)),
        output=replace(SLICES.output, quantity=None),
    )
    image = torch.full((1, 1, 16, 16), 0.5)
    predictions = predict_without_dropout(drawn_cascade(), image)
    (row,) = _rows(PairBatch(image, image + 2), predictions, ["a"], task)
    shown = [float(np.mean(each)) for each in row.images[:2] if each is not None]
    assert shown == [1.0, 2.5]


@pytest.mark.parametrize("task", [task_named(DEFAULT_TASK), SLICES], ids=lambda task: task.name)
def test_a_panel_is_a_picture_of_all_columns(tmp_path: Path, task):
    folder = RunFolder(tmp_path)
    folder.create({}, {})
    monitor = Monitor(folder, task, None)
    image = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    predictions = predict_without_dropout(drawn_cascade(), image)
    monitor.draw(PairBatch(image, image), predictions, ["a", "b"], 3, (0.0, 1.0))
    monitor.close()
    picture = cv2.imread(str(tmp_path / "panels" / "step-00000003.png"))
    assert picture is not None
    assert picture.std() > 10


def test_what_panels_show_needs_a_title():
    arrays = tuple(replace(array, title="") for array in SLICES.array)
    with pytest.raises(ValueError, match="'single_rotation' needs a title"):
        replace(SLICES, array=arrays)
