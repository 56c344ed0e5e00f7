"""Whole builds of a checkpoint that takes values in a unit, over a folder of many formats."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from radiograph_files import write_image
from toy_generator import ToyMaker
from value_files import PER_METRE, ct_bytes, slice_values, tiff_bytes, write_nifti

import dfsynth
from dfsynth.checkpoint import CARD
from dfsynth.errors import ImageError, UsageError
from dfsynth.jobs.build import run_build
from dfsynth.jobs.build_estimate import estimate_build
from dfsynth.jobs.info import describe_store
from dfsynth.jobs.show import draw_sheet
from dfsynth.jobs.verify import verify_store
from dfsynth.options import BuildOptions, ShowOptions
from dfsynth.preprocess import to_source
from dfsynth.progress import Silent
from dfsynth.store.opened import open_store

SIDE = 16
VALUES = [slice_values(seed, SIDE, SIDE) for seed in range(6)]


def maker() -> ToyMaker:
    return ToyMaker(intensity=PER_METRE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Slices of the toy's own grid in every format, and what is none."""
    root = tmp_path / "slices"
    root.mkdir()
    (root / "a.tif").write_bytes(tiff_bytes(VALUES[0]))
    np.save(root / "b.npy", VALUES[1])
    write_nifti(root / "c.nii.gz", np.stack(VALUES[2:4]))
    write_nifti(root / "d.nii", VALUES[4])
    stored = np.rint(VALUES[5] * 100).astype(np.int16)
    scaled = {"RescaleSlope": 0.01, "RescaleIntercept": -10.24, "RescaleType": "1/m"}
    (root / "e.dcm").write_bytes(ct_bytes(stored, **scaled))
    (root / "hounsfield.dcm").write_bytes(ct_bytes(stored))
    write_image(root / "radiograph.png", 1, SIDE, SIDE)
    np.save(root / "infinite.npy", np.full((SIDE, SIDE), np.inf))
    (root / "cut.npy").write_bytes((root / "b.npy").read_bytes()[:-7])
    np.save(root / "air.npy", np.zeros((SIDE, SIDE), np.float32))
    return root


def options(source: Path, out: Path, **more: Any) -> BuildOptions:
    return BuildOptions(source=str(source), out=out, shard_size=16, **more)


def rows(out: Path) -> dict[str, dict[str, Any]]:
    return {row["image_id"]: row for row in open_store(out).manifest.to_pylist()}


def test_values_of_every_format_reach_the_store_and_failures_are_rows(
    tmp_path: Path, folder: Path
) -> None:
    out = tmp_path / "x.zarr"
    maps = ("dark_field", "attenuation")
    report = run_build(options(folder, out, maps=maps, dtype="float32"), maker(), Silent())
    assert (report.ok, report.failed) == (7, 4)
    found = rows(out)
    assert {name: row["error_code"] for name, row in found.items() if row["error_code"]} == {
        "hounsfield.dcm": "wrong_unit",
        "radiograph.png": "wrong_unit",
        "infinite.npy": "non_finite",
        "cut.npy": "truncated",
    }
    expected: dict[str, NDArray[np.floating]] = {
        "a.tif": VALUES[0],
        "b.npy": VALUES[1],
        "c.nii.gz/slice-0000": VALUES[2],
        "c.nii.gz/slice-0001": VALUES[3],
        "d.nii": VALUES[4],
        "e.dcm": np.rint(VALUES[5] * 100) / 100,
    }
    store = open_store(out)
    for name, values in expected.items():
        stored = store.read("attenuation", found[name]["row"])
        np.testing.assert_allclose(stored, values, atol=1e-5)
        assert stored.min() < 0
        assert stored.max() > 1
        assert "low_contrast" not in found[name]["flags"]
    assert "low_contrast" in found["air.npy"]["flags"]
    assert found["radiograph.png"]["error"].startswith("found grey values of a PNG file; expected")
    assert verify_store(out, False, Silent()).damage == ()


def test_the_store_says_in_which_unit_its_inputs_were(tmp_path: Path, folder: Path) -> None:
    out = tmp_path / "x.zarr"
    run_build(options(folder, out), maker(), Silent())
    told = describe_store(out).provenance
    assert told["intensity_range"] == [0.0, 1.0]
    assert told["intensity_unit"] == "1/m"
    assert "intensity_percentiles" not in told
    assert run_build(options(folder, out), maker(), Silent()).resumed
    attributes = json.loads((out / "zarr.json").read_bytes())["attributes"]
    assert attributes["intensity_range"] == [0.0, 1.0]


def test_the_estimate_counts_slices(tmp_path: Path, folder: Path) -> None:
    assert estimate_build(options(folder, tmp_path / "x.zarr"), maker()).rows == 11


def test_pictures_read_slices_again_from_their_source(tmp_path: Path, folder: Path) -> None:
    volume, out = folder / "c.nii.gz", tmp_path / "x.zarr"
    run_build(options(volume, out), maker(), Silent())
    drawn = draw_sheet(ShowOptions(store=out, out=tmp_path / "x.png", source=str(volume)))
    assert drawn.blank == 0
    assert len(drawn.images) == 2


def test_a_radiograph_checkpoint_takes_a_volume_for_one_image(tmp_path: Path, folder: Path) -> None:
    out = tmp_path / "x.zarr"
    run_build(options(folder, out), ToyMaker(), Silent())
    found = rows(out)
    assert found["c.nii.gz"]["error_code"] == "unsupported_format"
    assert found["d.nii"]["error_code"] == "unsupported_format"
    assert found["radiograph.png"]["status"] == "ok"


@pytest.fixture
def per_metre(tiny_checkpoint: Path, tmp_path: Path) -> dict[str, Any]:
    """A checkpoint that takes 1/m, and how it is run."""
    folder = tmp_path / "per-metre"
    shutil.copytree(tiny_checkpoint, folder)
    card = json.loads((folder / CARD).read_text())
    card["intensity"] = {"low": 0.0, "high": 1.0, "unit": "1/m"}
    (folder / CARD).write_text(json.dumps(card))
    return {"checkpoint": str(folder), "mc_samples": 2, "precision": "fp32", "device": "cpu"}


def test_one_slice_is_generated_however_it_is_given(
    tmp_path: Path, per_metre: dict[str, Any]
) -> None:
    values = slice_values(3, 40, 30)
    np.save(tmp_path / "a.npy", values)
    of_file = dfsynth.generate(tmp_path / "a.npy", image_id="0", **per_metre)
    of_array = dfsynth.generate(values, **per_metre)
    np.testing.assert_array_equal(of_array.dark_field, of_file.dark_field)
    assert of_array.polarity == "values in 1/m, taken as they are"
    assert of_array.window == (0.0, 1.0)
    assert to_source(of_array.dark_field, of_array.geometry).shape == (40, 30)
    # Twice the value is another slice: nothing is windowed away.
    other = dfsynth.generate(2 * values, **per_metre)
    assert np.any(other.dark_field != of_array.dark_field)


def test_the_generator_takes_arrays_outside_the_unit_range(per_metre: dict[str, Any]) -> None:
    generator = dfsynth.load_generator(**per_metre)
    images = slice_values(1, 32, 32)[None]
    assert images.min() < 0
    assert np.isfinite(generator(images).mean).all()
    with pytest.raises(ValueError, match="expected finite values"):
        generator(np.full((1, 32, 32), np.nan))


def test_what_is_no_slice_is_refused_in_one_line(per_metre: dict[str, Any]) -> None:
    for grey in ("u1", "<u2", ">u2", "u4"):
        given = np.zeros((8, 8), grey)
        with pytest.raises(ImageError, match="expected values in 1/m") as caught:
            dfsynth.generate(given, **per_metre)
        assert caught.value.code == "wrong_unit"
    for odd in (np.zeros((2, 8, 8)), np.zeros((8, 8), complex), np.zeros((0, 8))):
        with pytest.raises(UsageError, match=r"expected numbers \(y, x\) in 1/m"):
            dfsynth.generate(odd, **per_metre)
    with pytest.raises(UsageError, match="which are never turned; leave it out"):
        dfsynth.generate(np.eye(8), inverted=True, **per_metre)


def test_values_far_from_what_the_network_knows_are_told_of_once_before_maps_are_made(
    tmp_path: Path,
) -> None:
    images = tmp_path / "slices"
    images.mkdir()
    for name, factor in (("a", 1.0), ("b", 1000.0), ("c", 1000.0)):
        np.save(images / f"{name}.npy", VALUES[0] * np.float32(factor))
    heard: list[str] = []

    class Heard(Silent):
        def message(self, text: str) -> None:
            heard.append(text)

    run_build(options(images, tmp_path / "x.zarr"), maker(), Heard())
    found = rows(tmp_path / "x.zarr")
    assert [found[f"{name}.npy"]["flags"] for name in "abc"] == [[], *[["beyond_range"]] * 2]
    (line,) = (text for text in heard if "beyond_range" in text)
    assert line.startswith("warning: b.npy is far from the 0 to 1 (unit 1/m) that")
