"""Scores and errors of pairs: of a known generator, into a card, and for a store of one's own."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from error_lines import one_line
from pair_files import write_pair_folders
from radiograph_files import write_folder
from toy_simulator import ToyPairMaker

import dfsynth
from dfsynth.datasets import PairImages
from dfsynth.errors import UsageError
from dfsynth.evaluate import error_calibration, measure_errors
from dfsynth.inference import load_map_generator
from dfsynth.jobs.simulate import run_simulation
from dfsynth.options import SimulateOptions
from dfsynth.progress import Silent
from dfsynth.records import AS_THE_CARD_SAYS
from dfsynth.statistics import ShapeError, shape_error


@dataclass
class Heard(Silent):
    """Keeps what it is told."""

    said: list[str] = field(default_factory=list)

    def message(self, text: str) -> None:
        self.said.append(text)


def test_errors_are_those_of_the_last_stage_and_scores_those_of_a_build(
    make_generator, make_pairs
) -> None:
    pairs, heard = make_pairs(6, content=(slice(2, 30), slice(None))), Heard()
    found = measure_errors(make_generator(), pairs, range(6), heard)
    assert [row.patient_id for row in found] == [row.patient_id for row in pairs.rows]
    # The last stage gives the clean image back; the first is off.
    assert [row.error for row in found] == pytest.approx([0] * 6, abs=1e-6)
    sigmas = np.linspace(0.05, 0.4, 32)
    for number, row in enumerate(found):
        stated = 0.8 * (1 + 0.1 * number) * sigmas.mean()
        assert row.scores["epistemic_mean"] == pytest.approx(stated, rel=1e-5)
        assert row.scores["epistemic_mean"] == np.float32(row.scores["epistemic_mean"])
    assert None not in found[0].scores.values()
    assert heard.said == []


def test_an_image_that_is_off_has_its_error_of_shape(
    make_generator, make_pairs, monkeypatch
) -> None:
    generator, pairs = make_generator(), make_pairs(2)
    known = type(generator).stages

    def squared(self: Any, images: Any, ids: Any, contents: Any) -> Any:
        return [replace(stage, mean=images**2) for stage in known(self, images, ids, contents)]

    monkeypatch.setattr(type(generator), "stages", squared)
    (row, _) = measure_errors(generator, pairs, (0, 1), Silent())
    pair = pairs.read(0)
    expected = shape_error(pair.image**2, pair.clean, pair.lung == 1)
    assert expected is not None
    assert row.error == pytest.approx(expected.total, rel=1e-5)
    assert 0.1 < row.error < 0.9


def test_what_the_filter_drops_or_what_has_no_signal_calibrates_nothing(
    make_generator, make_pairs, monkeypatch
) -> None:
    pairs, heard = make_pairs(4), Heard()
    read = type(pairs).read

    def changed(self: Any, index: int) -> PairImages:
        found = read(self, index)
        if index == 0:
            found.clean[:] = 0
        if index == 1:
            # No lung is predicted below one half.
            found.image[:] *= 0.5
        return found

    monkeypatch.setattr(type(pairs), "read", changed)
    found = measure_errors(make_generator(), pairs, range(4), heard)
    assert [row.patient_id for row in found] == ["patient 1", "patient 1"]
    assert heard.said == [
        "2 of 4 pairs left out of the calibration: no lung was found on their radiograph, or "
        "they hold no "
        "signal"
    ]


def test_a_pair_without_truth_says_what_it_lacks(make_generator, make_pairs) -> None:
    with pytest.raises(UsageError) as caught:
        measure_errors(make_generator(), make_pairs(2, with_truth=False), (0,), Silent())
    assert "pair 'pair 0' lacks the clean dark-field image and the lung mask" in str(caught.value)
    assert "expected a store of pairs" in str(caught.value)


def simulate(tmp_path: Path, n: int, **changed: Any) -> Path:
    out = tmp_path / "pairs.zarr"
    wanted = SimulateOptions(out=out, n=n, size=64, **changed)
    run_simulation(wanted, ToyPairMaker(wanted, fail_every=None), Silent())
    return out


@pytest.fixture
def finds_lungs(monkeypatch) -> None:
    """The tiny network's weights are random: what it takes for lung is no matter here."""
    monkeypatch.setattr("dfsynth.score.lung.LUNG_PROBABILITY", -1.0)


@pytest.fixture
def store(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """Four images by the tiny network, two samples each."""
    images, out = write_folder(tmp_path / "images", 4), tmp_path / "x.zarr"
    options: dict[str, Any] = {"checkpoint": str(tiny_checkpoint), "mc_samples": 2, "seed": 3}
    dfsynth.build(images, out, precision="fp32", **options)
    return out


@pytest.fixture
def refused(run_cli, store: Path, tiny_checkpoint: Path):
    def message(*arguments: object) -> str:
        command = ("filter", store, "--checkpoint", tiny_checkpoint, "--max-error", 0.9)
        status, _, err = run_cli(*command, "--by", "epistemic_mean", *arguments)
        assert status == 2
        return one_line(err)

    return message


@pytest.mark.usefixtures("finds_lungs")
def test_own_pairs_calibrate_as_the_store_was_built(
    run_cli, store, tiny_checkpoint, tmp_path, monkeypatch
) -> None:
    asked = []

    def watched(
        files: Any, device: Any, precision: str, samples: int, seed: int, mc: Any, **given: Any
    ) -> Any:
        assert given == {"choice": AS_THE_CARD_SAYS}
        asked.append((files.card.name, precision, samples, seed, mc))
        return load_map_generator(files, device, precision, samples, seed, mc, **given)

    monkeypatch.setattr(error_calibration, "load_map_generator", watched)
    # Whatever random weights make of the pairs.
    near = ShapeError(total=0.2, lung=0.2, outside=0.0, factor=1.0)
    monkeypatch.setattr(error_calibration, "shape_error", lambda *_: near)
    status, out, err = run_cli(
        *("filter", store, "--checkpoint", tiny_checkpoint, "--calibrate", simulate(tmp_path, 24)),
        *("--max-error", 0.3, "--by", "epistemic_mean", "--risk", 0.2, "--json"),
    )
    assert status == 0, err
    assert asked == [("tiny", "fp32", 2, 3, "full")]
    promise = json.loads(out)["promise"]
    assert promise["calibration"] == "the pairs of pairs.zarr"
    assert promise["origins"] == {"phantom": 24}
    assert promise["lowest_risk"] == pytest.approx(1 - 0.05 ** (1 / 24))


def test_19_patients_are_too_few_whatever_the_risk(refused, tmp_path) -> None:
    pairs = simulate(tmp_path, 19)
    line = refused("--calibrate", pairs, "--risk", 0.5)
    assert "the pairs of pairs.zarr: 19 patients, who can promise no --risk below 0.146" in line
    assert "expected 20 or more for --risk 0.5" in line


def test_20_patients_say_what_they_could_promise_before_anything_is_generated(
    refused, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(error_calibration, "load_map_generator", None)
    line = refused("--calibrate", simulate(tmp_path, 20))
    assert "20 patients, who can promise no --risk below 0.139 at a confidence of 0.95" in line
    assert "expected 29 or more for --risk 0.1" in line


def test_semi_synthetic_pairs_do_not_count(refused, tmp_path) -> None:
    (tmp_path / "cxr").mkdir()
    pairs = simulate(tmp_path, 30, origin="cxr", cxr=tmp_path / "cxr")
    assert "0 patients, who can promise no --risk below 1" in refused("--calibrate", pairs)


def test_files_say_what_they_lack(refused, tmp_path) -> None:
    folder, _ = write_pair_folders(tmp_path, 2)
    table = tmp_path / "pairs.csv"
    table.write_text("attenuation,dark_field\n")
    for path in (folder, table, tmp_path / "nowhere"):
        line = refused("--calibrate", path)
        assert f"--calibrate {path}: no store of pairs" in line
        assert "lack the clean dark-field image and the lung mask" in line


def test_a_store_that_is_no_square_cannot_be_calibrated(run_cli, tiny_checkpoint, tmp_path) -> None:
    images, out = write_folder(tmp_path / "images", 1), tmp_path / "x.zarr"
    dfsynth.build(images, out, checkpoint=tiny_checkpoint, mc_samples=1, size=(32, 48))
    status, _, err = run_cli(
        *("filter", out, "--checkpoint", tiny_checkpoint, "--max-error", 0.9),
        *("--by", "epistemic_mean", "--calibrate", tmp_path / "pairs.zarr"),
    )
    assert status == 2
    assert "built at 32x48" in one_line(err)
