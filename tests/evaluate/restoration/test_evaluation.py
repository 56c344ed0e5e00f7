"""Whole evaluations of a task that measures nodules."""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from dfsynth.checkpoint import read_checkpoint
from dfsynth.datasets import PairImages, PairInfo
from dfsynth.evaluate import (
    EvaluatedCheckpoint,
    EvaluationReport,
    evaluate_pairs,
    tabulate,
    write_report,
    written_files,
)
from dfsynth.evaluate.restoration import KINDS, SIZES, RestorationEvaluation
from dfsynth.inference import MapBatch
from dfsynth.options import EvaluationOptions
from dfsynth.progress import Silent
from dfsynth.records import TaskArray
from dfsynth.statistics import Interval
from dfsynth.tasks import Task, task_named

SIDE = 64
DIAMETERS = (7.0, 12.0, 20.0)


def restoration_task() -> Task:
    """A task whose pairs have labels of nodules."""
    base = task_named("dark-field-radiography")
    labels = TaskArray("nodules", "uint8", "labels", (0.0, 3.0), (0.0, 3.0))
    return replace(
        base,
        name="nodules-of-a-test",
        pairs=replace(base.pairs, nodules="nodules"),
        array=(*base.array, labels),
        metrics=("nodules",),
    )


@dataclass(frozen=True)
class NodulePairs:
    """A `PairSource`: noise with three discs as the truth, the same blurred as the input."""

    labelled: bool = True
    rows: tuple[PairInfo, ...] = tuple(
        PairInfo(f"chest {n}", f"patient {n}", "test", pixel_mm=1.0, nodule_mm=DIAMETERS)
        for n in range(5)
    )
    description: str = "drawn chests"
    warnings: tuple[str, ...] = ()
    knows_lungs: bool = True

    def fingerprint(self) -> str:
        return "00"

    def read(self, index: int) -> PairImages:
        rng = np.random.default_rng([5, index])
        y, x = np.mgrid[:SIDE, :SIDE]
        labels = np.zeros((SIDE, SIDE), np.float32)
        for number, (row, column, width) in enumerate(
            zip((14, 14, 44), (16, 44, 30), DIAMETERS, strict=True), 1
        ):
            labels[np.hypot(y - row, x - column) <= width / 2] = number
        sharp = 0.4 + 0.2 * (labels > 0) + 0.05 * rng.standard_normal(labels.shape)
        truth = sharp.astype(np.float32)
        blurred = ndimage.gaussian_filter(truth, 2.0)
        lung = np.ones_like(truth)
        found = labels if self.labelled else None
        return PairImages(blurred, truth, truth, lung, nodules=found)


class Sharpening:
    """A generator that takes some of the blur away."""

    def auto_batch_size(self, grid: tuple[int, int]) -> int:
        assert grid == (SIDE, SIDE)
        return 2

    def stages(
        self, images: NDArray[np.float32], image_ids: object, contents: object
    ) -> list[MapBatch]:
        assert image_ids
        assert contents
        mean = images + (images - ndimage.gaussian_filter(images, (0, 2.0, 2.0)))
        return [MapBatch(mean, np.full_like(mean, 0.05), np.zeros_like(mean), None)]


@pytest.fixture(scope="module")
def evaluated(tiny_checkpoint: Path) -> Callable[..., EvaluationReport]:
    files, task = read_checkpoint(tiny_checkpoint), restoration_task()
    card = replace(files.card, task=task.name, own_task=task, window=(0.0, 1.0), grid=(SIDE, SIDE))

    def run(**pairs: Any) -> EvaluationReport:
        generator: Any = Sharpening()
        checkpoint = EvaluatedCheckpoint(replace(files, card=card), generator, "cpu", "fp32")
        options = EvaluationOptions("tiny", Path("drawn"), calibration="none")
        return evaluate_pairs(options, checkpoint, NodulePairs(**pairs), Silent())

    return run


@pytest.fixture(scope="module")
def report(evaluated: Callable[..., EvaluationReport]) -> EvaluationReport:
    return evaluated()


def test_blur_and_what_is_restored_show_in_contrast_and_spectrum(report: EvaluationReport) -> None:
    assert isinstance(report.scores, RestorationEvaluation)
    found = report.scores.restoration
    assert found.images == 5
    assert list(found.nodules) == ["all", *SIZES]
    assert [each.nodules for each in found.nodules.values()] == [15, 5, 5, 5]
    small, large = (found.nodules[name].images for name in (SIZES[0], SIZES[2]))
    assert value(small["truth"].recovery) == pytest.approx(1)
    assert value(small["input"].recovery) < value(small["restored"].recovery) < 1
    assert value(small["input"].recovery) < value(large["input"].recovery)
    # Blur takes noise with it: the ratio alone would praise it.
    assert value(large["input"].cnr) > 2 * value(large["truth"].cnr)
    distance = found.log_spectral_distance_db
    assert 1 < value(distance["restored"]) < value(distance["input"])
    assert set(found.spectra.power) == set(KINDS)


def value(interval: Interval) -> float:
    """The value of an interval that is defined at both ends."""
    assert interval.low is not None
    assert interval.high is not None
    assert interval.value is not None
    assert interval.low <= interval.value <= interval.high
    return interval.value


def test_its_files_hold_figures_nodules_and_a_picture(
    report: EvaluationReport, tmp_path: Path
) -> None:
    write_report(report, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        path.name for path in written_files(report, tmp_path)
    }
    found = json.loads((tmp_path / "metrics.json").read_text())["restoration"]
    ratio = found["nodules"]["all"]["images"]["restored"]["cnr"]
    assert ratio["low"] < ratio["value"] < ratio["high"]
    with (tmp_path / "nodules.csv").open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert len(lines) == 5 * len(DIAMETERS) * len(KINDS)
    assert {float(line["diameter_mm"]) for line in lines} == set(DIAMETERS)
    of_restored = [float(line["cnr"]) for line in lines if line["image"] == "restored"]
    assert np.mean(of_restored) == pytest.approx(ratio["value"])
    picture = cv2.imread(str(tmp_path / "restoration.png"))
    assert picture is not None
    assert picture.std() > 20
    assert f"{ratio['value']:.3f}" in tabulate(report.scores)


def test_pairs_without_labels_have_spectra_alone(
    evaluated: Callable[..., EvaluationReport], tmp_path: Path
) -> None:
    report = evaluated(labelled=False)
    assert isinstance(report.scores, RestorationEvaluation)
    assert not report.scores.restoration.nodules
    assert any("nodules of 5 images are not measured" in w for w in report.scores.warnings)
    write_report(report, tmp_path)
    assert len((tmp_path / "nodules.csv").read_text().splitlines()) == 1
    assert (tmp_path / "restoration.png").exists()


def test_a_task_cannot_ask_for_nodules_without_labels() -> None:
    task = restoration_task()
    with pytest.raises(ValueError, match="labels of nodules"):
        replace(task, pairs=replace(task.pairs, nodules=None))
    with pytest.raises(ValueError, match="'nodule'"):
        replace(task, pairs=replace(task.pairs, nodules="nodule"))
    both = replace(task_named("dark-field-ct").pairs, nodules="lung_mask")
    with pytest.raises(ValueError, match="one kind at most"):
        replace(task_named("dark-field-ct"), pairs=both, metrics=("streaks", "nodules"))
