"""Whole evaluations of a task that measures streaks."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from browser_pages import Page, pages
from numpy.typing import NDArray
from report_stores import facts_of
from scipy import ndimage

import dfsynth
from dfsynth.checkpoint import read_checkpoint
from dfsynth.datasets import PairImages, PairInfo
from dfsynth.errors import StoreError
from dfsynth.evaluate import (
    EvaluatedCheckpoint,
    EvaluationReport,
    evaluate_pairs,
    tabulate,
    write_report,
    written_files,
)
from dfsynth.evaluate.slice_measurement import SliceEvaluation
from dfsynth.evaluate.streaks import SLICE_KINDS
from dfsynth.inference import MapBatch
from dfsynth.options import EvaluationOptions
from dfsynth.progress import Silent
from dfsynth.records import IntensityRange
from dfsynth.tasks import task_named

TASK = task_named("dark-field-ct")
BLUR_PX = 2.5


@dataclass(frozen=True)
class AnalyticPairs:
    """A `PairSource` of one slice with other noise in each pair: much in the input."""

    analytic: Any
    known: bool = True
    rows: tuple[PairInfo, ...] = tuple(
        PairInfo(f"slice {n}", f"patient {n}", "test", pixel_mm=2.0) for n in range(4)
    )
    description: str = "analytic slices"
    warnings: tuple[str, ...] = ()
    knows_lungs: bool = True

    def fingerprint(self) -> str:
        return "00"

    def read(self, index: int) -> PairImages:
        rng = np.random.default_rng([3, index])
        truth = self.analytic.truth
        image, target = (
            truth + np.float32(sd) * rng.standard_normal(truth.shape, np.float32)
            for sd in (1.0, 0.3)
        )
        lung = self.analytic.lung_mask.astype(np.float32)
        air = self.analytic.air_mask.astype(np.float32)
        if not self.known:
            return PairImages(image, target, lung=lung)
        return PairImages(image, target, truth, lung, air=air)


class Smoothing:
    """A generator that blurs what it is given."""

    def auto_batch_size(self, grid: tuple[int, int]) -> int:
        assert grid == (200, 200)
        return 3

    def stages(
        self,
        images: NDArray[np.float32],
        image_ids: Sequence[str],
        contents: Sequence[object],
    ) -> list[MapBatch]:
        assert len(images) == len(image_ids) == len(contents)
        mean = ndimage.gaussian_filter(images, (0, BLUR_PX, BLUR_PX)).astype(np.float32)
        sigma = np.full_like(mean, 0.2)
        return [MapBatch(mean, sigma, np.zeros_like(mean), None)]


@pytest.fixture(scope="module")
def evaluated(analytic, tiny_checkpoint) -> Callable[..., EvaluationReport]:
    files = read_checkpoint(tiny_checkpoint)
    card = replace(
        files.card,
        task=TASK.name,
        intensity=IntensityRange(0.0, 1.0, "1/m"),
        window=(0.0, 4.0),
        grid=(200, 200),
    )

    def run(**pairs: Any) -> EvaluationReport:
        generator: Any = Smoothing()
        checkpoint = EvaluatedCheckpoint(replace(files, card=card), generator, "cpu", "fp32")
        options = EvaluationOptions("tiny", Path("drawn"), calibration="none")
        return evaluate_pairs(options, checkpoint, AnalyticPairs(analytic, **pairs), Silent())

    return run


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    yield from pages()


@pytest.fixture(scope="module")
def report(evaluated) -> EvaluationReport:
    return evaluated()


def test_contrast_that_is_bought_by_smoothing_shows_as_such(report):
    assert isinstance(report.scores, SliceEvaluation)
    streaks = report.scores.streaks
    assert streaks.slices == 4
    given, restored, target = (
        {n: i.value for n, i in getattr(streaks, k).items()} for k in SLICE_KINDS
    )
    assert restored["cnr"] > 3 * given["cnr"]
    assert restored["line_spread_fwhm_mm"] > 2 * given["line_spread_fwhm_mm"]
    assert restored["rim_relative_bias"] < -0.05
    assert abs(target["rim_relative_bias"]) < 0.05
    assert target["rmse_per_m"] == pytest.approx(0.3, rel=0.05)
    assert given["rmse_per_m"] == pytest.approx(1.0, rel=0.05)
    assert restored["truth_line_spread_fwhm_mm"] == given["truth_line_spread_fwhm_mm"]


def test_its_files_hold_figures_slices_and_pictures(report, tmp_path):
    write_report(report, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        path.name for path in written_files(report, tmp_path)
    }
    streaks = json.loads((tmp_path / "metrics.json").read_text())["streaks"]
    for kind in SLICE_KINDS:
        assert streaks[kind]["cnr"].keys() == {"value", "low", "high"}
        assert streaks[kind]["cnr"]["low"] < streaks[kind]["cnr"]["high"]
    with (tmp_path / "slices.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    assert [(line["key"], line["image"]) for line in lines] == [
        (f"slice {n}", kind) for n in range(4) for kind in SLICE_KINDS
    ]
    found = [float(line["cnr"]) for line in lines if line["image"] == "restored"]
    assert np.median(found) == pytest.approx(streaks["restored"]["cnr"]["value"])
    picture = cv2.imread(str(tmp_path / "slices.png"))
    assert picture is not None
    assert picture.std() > 20
    table = tabulate(report.scores)
    assert f"{streaks['restored']['cnr']['value']:.3f}" in table


def test_the_browser_report_shows_streaks_beside_the_truth(report, tmp_path):
    evaluation, page = tmp_path / "evaluation", tmp_path / "report"
    write_report(report, evaluation)
    dfsynth.write_report(evaluation, out=page)
    shown = facts_of(page)["streaks"]
    streaks = json.loads((evaluation / "metrics.json").read_text())["streaks"]
    rows = {row["title"]: row for row in shown["rows"]}
    contrast, bias = rows["CNR of lung against air"], rows["bias of the lung"]
    assert {kind: contrast[kind] for kind in SLICE_KINDS} == {
        kind: streaks[kind]["cnr"] for kind in SLICE_KINDS
    }
    assert contrast["truth"] == streaks["input"]["truth_cnr"]
    off = streaks["restored"]["lung_relative_bias"]
    assert bias["unit"] == "%"
    assert bias["restored"] == pytest.approx({end: 100 * off[end] for end in off})
    assert bias["truth"]["value"] == 0
    assert rows["contrast to error"]["truth"] is None
    assert shown["curves"] == streaks["curves"]
    assert shown["slices"] == 4
    assert 'id="streaks"' in (page / "index.html").read_text()


def test_an_evaluation_from_before_curves_were_kept_has_its_table(report, tmp_path):
    write_report(report, tmp_path)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    del metrics["streaks"]["curves"]
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    dfsynth.write_report(tmp_path, out=tmp_path / "report")
    shown = facts_of(tmp_path / "report")["streaks"]
    assert shown["curves"] is None
    assert shown["rows"]

    del metrics["streaks"]["target"]
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(StoreError, match="evaluate again"):
        dfsynth.write_report(tmp_path, out=tmp_path / "report")


def test_the_page_draws_streaks_without_a_word(page: Page, report, tmp_path):
    write_report(report, tmp_path)
    dfsynth.write_report(tmp_path, out=tmp_path / "report")
    page.open(tmp_path / "report")
    page.wait(lambda: page.all("#streak-rows tr"))
    for chart in ("noise", "direction", "transfer"):
        assert page.all(f"#{chart}-chart canvas")
    assert page.messages() == []
    assert page.text("#streak-rows tr:nth-child(4) td:last-child") != "–"


def test_pairs_without_truth_are_measured_as_others(evaluated, tmp_path):
    report = evaluated(known=False)
    assert not isinstance(report.scores, SliceEvaluation)
    assert any("streaks are not measured" in warning for warning in report.scores.warnings)
    write_report(report, tmp_path)
    assert "streaks" not in json.loads((tmp_path / "metrics.json").read_text())
    assert not (tmp_path / "slices.png").exists()


def test_other_tasks_say_nothing_of_streaks(evaluate, make_pairs, tmp_path):
    report = evaluate(make_pairs())
    write_report(report, tmp_path)
    assert "streaks" not in json.loads((tmp_path / "metrics.json").read_text())
    names = {"metrics.json", "images.csv", "evaluation.png", "risk_coverage.png"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert "streaks" not in tabulate(report.scores)
    dfsynth.write_report(tmp_path, out=tmp_path / "report")
    assert 'id="streaks"' not in (tmp_path / "report" / "index.html").read_text()


def test_a_task_cannot_ask_for_streaks_without_air():
    with pytest.raises(ValueError, match="masks of lung, and of air"):
        replace(TASK, pairs=replace(TASK.pairs, air=None))
    with pytest.raises(ValueError, match="'ait'"):
        replace(TASK, pairs=replace(TASK.pairs, air="ait"))
