"""A task of a user's own, from two folders to a checkpoint, a store and a report."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from error_lines import one_line
from own_task import RECIPE, write_slices, write_task

import dfsynth
from dfsynth.checkpoint import read_checkpoint
from dfsynth.errors import ConflictError, UsageError
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.record import read_record

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A run and a store; the file of the task is gone, as on another machine."""
    home = tmp_path_factory.mktemp("own")
    task = write_task(home)
    (home / "recipe.toml").write_text(RECIPE)
    sharp, smooth = write_slices(home, 12)
    dfsynth.train_generator(
        home / "recipe.toml", sharp, home / "run", targets=smooth, precision="fp32", progress=None
    )
    task.unlink()
    maps = ("soft", "aleatoric", "epistemic", "sharp")
    best = str(home / "run" / "best")
    dfsynth.build(sharp, home / "x.zarr", checkpoint=best, mc_samples=2, maps=maps, progress=None)
    return home


def test_the_checkpoint_and_the_store_carry_the_task(home):
    card = read_checkpoint(home / "run" / "best").card
    assert card.own_task is not None
    assert card.recipe["task"] == card.task == "ct-kernel"
    assert "own_task" not in card.recipe
    record = read_record(home / "x.zarr" / "run" / "build.json")
    assert isinstance(record, BuildRecord)
    assert record.task == card.own_task
    store = dfsynth.open_store(home / "x.zarr")
    assert store.maps == ("soft", "aleatoric", "epistemic", "sharp")
    assert store.provenance["task"] == "ct-kernel"
    assert store.provenance["soft_unit"] == store.arrays["sharp"].attrs["units"] == "HU"
    given = np.load(home / "sharp" / "case003.npy")
    row = next(r for r in store.manifest.to_pylist() if "case003" in r["image_id"])["row"]
    np.testing.assert_allclose(store.read("sharp", row), given, atol=1.0)


def test_scores_are_said_of_its_output_and_unit(home):
    out = home / "x.zarr"
    said = [(out / name).read_text(encoding="utf-8") for name in ("README.md", "croissant.json")]
    for text in said:
        assert "line integral" not in text
        assert "dark-field signal" not in text
    assert (
        "| `dark_field_mean` | HU | Mean value of the smooth CT slice over the image |" in said[0]
    )
    assert "over the lung; over the image where the network predicts no lung (unit: HU)" in said[1]


def test_it_is_evaluated_shown_reported_exported_and_verified(home, run_cli):
    pairs = ("--data", home / "sharp", "--targets", home / "smooth")
    figures = home / "evaluation"
    commands: tuple[tuple[object, ...], ...] = (
        ("evaluate", home / "run" / "best", *pairs, "--mc-samples", 2, "--out", figures),
        ("show", home / "x.zarr", "--out", home / "sheet.png"),
        ("report", home / "x.zarr", "--out", home / "report"),
        ("export", home / "x.zarr", "--to", "tiff", "--out", home / "tiffs"),
        ("verify", home / "x.zarr"),
        ("info", home / "x.zarr"),
    )
    for command in commands:
        status, out, err = run_cli(*map(str, command))
        assert status == 0, err
    assert "task: ct-kernel" in out
    scores = json.loads((figures / "metrics.json").read_text())
    assert scores["notice"].startswith("Figures of synthetic smooth CT slices")
    assert "Smooth CT slices from sharp ones" in (home / "x.zarr" / "README.md").read_text()


def test_pairs_of_another_unit_are_said_or_refused_by_an_evaluation(home, tmp_path, run_cli):
    sharp, smooth = write_slices(tmp_path, 4)
    command = ("evaluate", home / "run" / "best", "--data", sharp, "--targets", smooth)
    few = ("--split", "all", "--calibration", "none", "--mc-samples", 1, "--json")
    found = json.loads(run_cli(*command, *few)[1])
    assert not any("HU" in line for line in found["warnings"])
    np.save(smooth / "case002.npy", np.load(smooth / "case002.npy") * np.float32(1000))
    found = json.loads(run_cli(*command, *few)[1])
    (line,) = (line for line in found["warnings"] if "HU" in line)
    assert line.startswith("the targets of 1 of 4 pairs are far from -1000 to 1000 HU, [output]")
    for path in smooth.iterdir():
        np.save(path, np.load(path) * np.float32(1000))
    status, out, err = run_cli(*command, *few, "--out", tmp_path / "figures")
    assert (status, out) == (2, "")
    assert "the targets of 4 of 4 pairs are far from -1000 to 1000 HU" in one_line(err)
    assert not (tmp_path / "figures").exists()


def test_one_image_in_python_has_the_maps_of_the_task(home):
    image = dfsynth.generate(
        np.load(home / "sharp" / "case001.npy"), checkpoint=home / "run" / "best", mc_samples=2
    )
    assert set(image.maps) == {"soft", "aleatoric", "epistemic", "sharp"}
    assert image.task.name == "ct-kernel"
    assert "Synthetic images: smooth CT slices" in image._repr_html_()


def test_a_build_goes_on_and_a_map_that_the_task_lacks_is_refused(home):
    best = str(home / "run" / "best")
    given: dict[str, Any] = {"checkpoint": best, "mc_samples": 2, "progress": None}
    with pytest.raises(UsageError, match=r"--maps ct: .* for ct-kernel, whose maps are soft, al"):
        dfsynth.build(home / "sharp", home / "y.zarr", maps=("ct",), **given)
    assert not (home / "y.zarr").exists()
    report = dfsynth.build(
        home / "sharp", home / "x.zarr", maps=("soft", "aleatoric", "epistemic", "sharp"), **given
    )
    assert report.ok == 0


def test_a_network_that_starts_from_its_input_builds_and_is_evaluated(home, tmp_path):
    """Trained by next to nothing, so that its maps are the input, in the unit of the output."""
    write_task(tmp_path, 'array = "soft"', 'array = "soft"\nquantity = "input"')
    recipe = RECIPE.replace("[network]", "[network]\nresidual = 0.25").replace("1e-3", "1e-9")
    (tmp_path / "recipe.toml").write_text(recipe)
    folders: dict[str, Any] = {"targets": home / "smooth", "precision": "fp32"}
    run = tmp_path / "run"
    dfsynth.train_generator(tmp_path / "recipe.toml", home / "sharp", run, **folders, progress=None)
    best, out = str(run / "best"), tmp_path / "x.zarr"
    maps = ("soft", "aleatoric", "sharp")
    dfsynth.build(home / "sharp", out, checkpoint=best, mc_samples=2, maps=maps, progress=None)
    store = dfsynth.open_store(out)
    np.testing.assert_allclose(store.read("soft", 3), store.read("sharp", 3), atol=2.0)
    assert store.read("aleatoric", 3).min() > 0
    found = dfsynth.evaluate_checkpoint(best, home / "sharp", **folders, split="all", mc_samples=2)
    assert found.images == 12


def test_a_run_of_a_task_that_has_changed_is_another_run(home, tmp_path):
    (tmp_path / "recipe.toml").write_text(RECIPE)
    given: dict[str, Any] = {"targets": home / "smooth", "precision": "fp32", "progress": None}
    write_task(tmp_path)
    done = dfsynth.train_generator(tmp_path / "recipe.toml", home / "sharp", home / "run", **given)
    assert done.steps_now == 0
    write_task(tmp_path, "window = [-1000.0, 1000.0]", "window = [-500.0, 500.0]")
    with pytest.raises(ConflictError, match=r"own_task\.window"):
        dfsynth.train_generator(tmp_path / "recipe.toml", home / "sharp", home / "run", **given)
    write_task(tmp_path, 'title = "smooth"', 'title = "soft"')
    with pytest.raises(ConflictError) as caught:
        dfsynth.train_generator(tmp_path / "recipe.toml", home / "sharp", home / "run", **given)
    said = 'recipe.own_task.array[1].title was "smooth", asked for "soft"; choose another --out'
    assert str(caught.value).endswith(f"other data: {said}")


def test_files_in_another_unit_and_unequal_files_are_named_in_the_words_of_the_task(
    home, tmp_path, run_cli
):
    write_task(tmp_path)
    sharp, smooth = write_slices(tmp_path, 8)
    np.save(smooth / "case002.npy", np.eye(16, dtype=np.float32))
    status, _, err = run_cli(
        *("train", "tiny-cpu", "--task", str(tmp_path / "ct-kernel.toml"), "--data", str(sharp)),
        *("--targets", str(smooth), "--out", str(tmp_path / "run")),
    )
    assert status == 2
    assert "CT image case002.npy and smooth CT slice case002.npy have 32×32 and 16×16" in err
    assert one_line(err)


def test_nothing_is_said_of_lungs_and_no_error_is_promised(home, tmp_path, run_cli):
    store, best = home / "x.zarr", home / "run" / "best"
    for given in ((), ("--checkpoint", best)):
        out = tmp_path / f"report-{len(given)}"
        status, _, err = run_cli("report", store, "--out", out, *given)
        assert status == 0, err
        html = (out / "index.html").read_text()
        assert "no lung found" not in html
        assert "the task ct-kernel has no such pairs" in html
        assert "--checkpoint" not in html
    status, _, err = run_cli("filter", store, "--max-error", 0.3, "--by", "uncertainty")
    assert status == 2
    assert "no error is known of images of" in one_line(err)
    assert "the task ct-kernel has no such pairs; choose by a share or by a score" in err
