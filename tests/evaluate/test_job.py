"""Whole evaluations of generators whose truth is known."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dfsynth.errors import UsageError
from dfsynth.evaluate import (
    EvaluationReport,
    UnwrittenReportError,
    calibrate,
    tabulate,
    write_report,
)
from dfsynth.evaluate.figure import draw_evaluation
from dfsynth.evaluate.per_image import MOST_IMAGES_PER_PATIENT, pixels_by_patient
from dfsynth.progress import Silent


def encode(report: EvaluationReport) -> bytes:
    return draw_evaluation(report.scores, report.per_image, report.outside_lung)


def test_a_generator_that_knows_the_noise_passes_every_test(evaluate, make_pairs) -> None:
    scores = evaluate(make_pairs()).scores
    found = scores.stages[1].lung.noisy
    assert (scores.images, scores.patients, scores.lung_of) == (12, 6, "pairs")
    assert scores.calibration.source == "calibration patients"
    assert found.coverage.value == pytest.approx(0.9, abs=0.03)
    assert found.coverage_50.value == pytest.approx(0.5, abs=0.03)
    assert found.ence.value < 0.1
    assert found.spearman.value > 0.95
    assert found.coverage_gap.value < 0.05
    assert 0 < found.ause.low < found.ause.value < found.ause.high
    assert scores.stages[1].whole.clean.mse.value == 0
    for name, spread in found.coverage_over_images.items():
        assert abs(spread.median - float(name)) < 0.05
    assert len(found.deciles) == 10
    assert all(abs(b.coverage["0.9"].value - 0.9) < 0.08 for b in found.deciles)


def test_it_comes_as_near_to_the_oracle_as_noise_allows(evaluate, make_pairs) -> None:
    lung = evaluate(make_pairs()).scores.stages[1].lung
    assert lung.oracle.ause.value == pytest.approx(lung.noisy.ause.value, abs=0.05)
    assert lung.oracle.nll.value == pytest.approx(lung.noisy.nll.value, abs=0.05)
    assert lung.oracle.mse.value == pytest.approx(lung.noisy.mse.value, rel=0.03)
    assert lung.oracle.coverage.value is None
    assert lung.oracle.coverage_gap.value is None


def test_the_stage_that_is_off_and_knows_nothing_is_the_worse_one(evaluate, make_pairs) -> None:
    first, second = (stage.lung.noisy for stage in evaluate(make_pairs()).scores.stages)
    for name in ("mse", "mae", "nll", "crps", "ause"):
        assert getattr(first, name).value > getattr(second, name).value
    assert first.spearman_pixels.value is None, "a constant sigma ranks nothing"


def test_an_overconfident_sigma_is_found_out_and_calibrated(
    evaluate, make_pairs, make_generator
) -> None:
    generator = make_generator(share=0.5)
    plain = evaluate(make_pairs(), generator, calibration="none").scores
    mended = evaluate(make_pairs(), generator).scores
    assert plain.calibration.source == "density"
    assert plain.stages[1].lung.noisy.coverage.value < 0.65
    assert plain.stages[1].lung.noisy.ence.value == pytest.approx(1.0, abs=0.1)
    assert mended.stages[1].lung.noisy.coverage.value == pytest.approx(0.9, abs=0.03)
    assert mended.calibration.stages[1]["0.9"] == pytest.approx(2 * 1.645, rel=0.05)


def test_signal_that_is_lit_outside_the_lung_is_seen(evaluate, make_pairs, make_generator) -> None:
    """Every figure of the lung is blind for it, but for the window of SSIM."""

    plain = evaluate(make_pairs())
    knowing = make_generator()

    class Lit:
        auto_batch_size = staticmethod(knowing.auto_batch_size)

        def stages(self, images, image_ids=None, contents=None):
            *early, last = knowing.stages(images, image_ids, contents)
            mean = last.mean.copy()
            mean[[key == "pair 10" for key in image_ids], 26:] += 8.0
            return [*early, dataclasses.replace(last, mean=mean)]

    lit = evaluate(make_pairs(), Lit())
    for name in ("mae", "mse", "nll", "coverage"):
        in_lung = [getattr(r.scores.stages[1].lung.noisy, name) for r in (plain, lit)]
        assert in_lung[0] == in_lung[1]
    before, found = plain.scores.outside_lung, lit.scores.outside_lung
    assert before.excess.value == before.highest_excess == 0
    share = 6 * 32 / (32 * 32 - 16 * 24)
    assert found.highest_image == "pair 10"
    assert found.highest_excess == pytest.approx(8 * share, rel=1e-4)
    assert found.excess.value == pytest.approx(8 * share / 12, rel=1e-4)
    assert found.target == before.target
    assert "\nmean outside the lung: " in tabulate(lit.scores)
    assert "most too much in pair 10" in tabulate(lit.scores)
    pictures = [
        cv2.imdecode(np.frombuffer(encode(report), np.uint8), cv2.IMREAD_COLOR)
        for report in (plain, lit)
    ]
    before_it, with_it = (np.array(picture) for picture in pictures)
    assert before_it.shape == with_it.shape
    lowest = slice(before_it.shape[0] * 2 // 3, None)
    assert (before_it[lowest] != with_it[lowest]).any()


def test_where_no_lung_is_known_nothing_lies_outside_it(evaluate, make_pairs) -> None:
    pairs = make_pairs(lungless=range(24))
    report = evaluate(pairs, calibration="none")
    assert report.scores.outside_lung is None
    with_lung, without = (
        np.array(cv2.imdecode(np.frombuffer(encode(found), np.uint8), cv2.IMREAD_COLOR)).shape[0]
        for found in (evaluate(make_pairs()), report)
    )
    assert without < 0.7 * with_lung, "there are no empty panels"


def test_padding_never_counts(evaluate, make_pairs) -> None:
    """Targets in the padding are a million: one pixel of it would show."""
    pairs = make_pairs(content=(slice(2, 30), slice(None)))
    found = evaluate(pairs).scores.stages[1]
    assert found.whole.noisy.mse.value < 10
    assert found.lung.noisy.mse.value < 10


def test_without_truth_the_predicted_lung_serves_and_there_is_no_oracle(
    evaluate, make_pairs
) -> None:
    scores = evaluate(make_pairs(with_truth=False)).scores
    assert scores.lung_of == "checkpoint"
    assert scores.stages[1].lung.clean is None
    assert scores.stages[1].lung.oracle is None
    assert scores.stages[1].lung.noisy.mse.value > 0


def test_the_batch_changes_nothing_and_the_seed_repeats_it(
    evaluate, make_pairs, make_generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = evaluate(make_pairs()).scores
    generator = make_generator()
    monkeypatch.setattr(type(generator), "auto_batch_size", lambda *_: 1)
    assert evaluate(make_pairs(), generator).scores == usual
    assert set(generator.batch_sizes) == {1}


def test_out_of_distribution_images_are_detected_by_their_uncertainty(
    evaluate, make_pairs, tmp_path: Path
) -> None:
    for number in range(4):
        pixels = np.random.default_rng(number).integers(0, 255, (40, 30), np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.png"), pixels)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    scores = evaluate(make_pairs(), ood=tmp_path).scores
    assert scores.ood.images == 4
    assert scores.ood.failed == 1
    assert scores.ood_auroc["uncertainty"].value == 1
    assert scores.ood_auroc["epistemic_mean"].low == 1
    assert scores.ood_auroc["ood_score"].value is None


def test_scores_that_no_test_image_has_detect_nothing(
    evaluate, make_pairs, make_generator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Heads speak of single images, and the test pairs come without them."""
    generator = make_generator()
    made = type(generator).generate

    def with_heads(self: object, *arguments: Any) -> list[Any]:
        learned = {"ood_score": 4.0}
        return [dataclasses.replace(each, learned=learned) for each in made(self, *arguments)]

    monkeypatch.setattr(type(generator), "generate", with_heads)
    pixels = np.random.default_rng(1).integers(0, 255, (40, 30), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    scores = evaluate(make_pairs(), generator, ood=tmp_path).scores
    assert scores.ood_auroc["ood_score"].value is None
    assert scores.ood_auroc["uncertainty"].value == 1


def test_an_image_that_heads_fail_on_is_left_out(
    evaluate, make_pairs, make_generator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    generator = make_generator()
    made = type(generator).generate

    def with_heads(self: object, inputs: Any, keys: Any) -> list[Any]:
        found = zip(made(self, inputs, keys), keys, strict=True)
        broken = {"ood_score": float("nan")}
        return [
            dataclasses.replace(each, learned=broken if key == "a.png" else None)
            for each, key in found
        ]

    monkeypatch.setattr(type(generator), "generate", with_heads)
    pixels = np.random.default_rng(1).integers(0, 255, (40, 30), np.uint8)
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), pixels)
    scores = evaluate(make_pairs(), generator, ood=tmp_path).scores
    assert (scores.ood.images, scores.ood.failed) == (1, 1)


def test_all_figures_are_json(evaluate, make_pairs) -> None:
    report = evaluate(make_pairs())
    found = json.loads(json.dumps(dataclasses.asdict(report.scores), allow_nan=False))
    named = {"mse", "mae", "psnr", "ssim", "nll", "coverage", "ence", "ause", "spearman"}
    for region in ("whole", "lung"):
        figures = found["stages"][-1][region]["noisy"]
        assert named <= figures.keys()
        assert all(set(figures[name]) == {"value", "low", "high"} for name in named)
    assert "not for diagnosis" in found["notice"]


def test_single_images_are_listed(evaluate, make_pairs) -> None:
    head, *lines = evaluate(make_pairs()).per_image.table()
    assert len(lines) == 12 * 2 * 2 * 3
    assert all(len(line) == len(head) for line in lines)
    assert lines[0][:5] == ["pair 2", "patient 1", 1, "whole", "noisy"]


def test_figures_travel_with_the_error_where_a_file_cannot_be_written(
    evaluate, make_pairs, tmp_path: Path
) -> None:
    report = evaluate(make_pairs())
    (tmp_path / "images.csv").mkdir()
    with pytest.raises(UnwrittenReportError, match="cannot write") as caught:
        write_report(report, tmp_path)
    assert caught.value.report is report
    assert json.loads((tmp_path / "metrics.json").read_text())["images"] == 12


def test_out_of_distribution_images_that_cannot_be_read_say_why_before_anything_is_generated(
    evaluate, make_pairs, tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    with pytest.raises(UsageError, match="0 of 1 image of --ood can be read; the first: broken"):
        evaluate(make_pairs(), ood=tmp_path)


def test_an_evaluation_leaves_no_file_of_an_earlier_one(
    evaluate, make_pairs, tmp_path: Path
) -> None:
    earlier = ("images.csv", "nodules.csv", "restoration.png", "slices.csv", "slices.png")
    for name in (*earlier, "notes.txt"):
        (tmp_path / name).write_text("of another checkpoint")
    write_report(evaluate(make_pairs()), tmp_path)
    ours = {"metrics.json", "images.csv", "evaluation.png", "risk_coverage.png"}
    assert {path.name for path in tmp_path.iterdir()} == ours | {"notes.txt"}
    assert "another checkpoint" not in (tmp_path / "images.csv").read_text()


def test_every_patient_calibrates_alike_however_many_images_there_are() -> None:
    many = dict.fromkeys(range(60), "one with many")
    few = {n: f"another {n}" for n in range(60, 63)}
    kept = pixels_by_patient(many | few)
    of_many = [kept[n] for n in many if n in kept]
    assert len(of_many) == MOST_IMAGES_PER_PATIENT
    assert sum(of_many) == pytest.approx(kept[60], rel=0.01)
    assert kept[60] == kept[61] == kept[62]


def test_images_with_too_little_lung_calibrate_nothing(make_pairs, make_generator) -> None:
    indices = [0, 1, 4, 5]
    usual = calibrate(make_generator(), make_pairs(), indices[1:], Silent())
    found = calibrate(make_generator(), make_pairs(lungless={0}), indices, Silent())
    assert found.images == usual.images == 3
    factors, expected = found.stages[-1], usual.stages[-1]
    assert factors is not None
    assert expected is not None
    assert factors == pytest.approx(expected, rel=0.1)
    none = calibrate(make_generator(), make_pairs(lungless=set(indices)), indices, Silent())
    assert none.source == "density"
    assert none.stages == (None, None)


def test_factors_for_the_card_are_those_of_the_last_stage(make_pairs, make_generator) -> None:
    found = calibrate(make_generator(), make_pairs(), range(12), Silent()).stages
    assert len(found) == 2
    factors = found[-1]
    assert factors is not None
    assert factors["0.9"] == pytest.approx(1.645, rel=0.05)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"split": "val"}, "no pairs of the split val in drawn pairs: found calibration, test"),
        ({"split": "tset"}, "--split tset: expected train, val"),
        ({"calibration": "card"}, "the card of tiny has no factors"),
        ({"calibration": "mine"}, "--calibration mine: expected auto"),
        ({"limit": 0}, "--limit 0: expected 1 or more"),
        ({"mc_samples": 0}, "--mc-samples 0: expected 1 or more"),
    ],
)
def test_wrong_options_are_refused(evaluate, make_pairs, options, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        evaluate(make_pairs(), **options)


def test_a_folder_without_images_is_refused_before_anything_runs(
    evaluate, make_pairs, make_generator, tmp_path: Path
) -> None:
    generator = make_generator()
    with pytest.raises(UsageError):
        evaluate(make_pairs(), generator, ood=tmp_path)
    assert not generator.batch_sizes
