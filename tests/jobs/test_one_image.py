"""`dfsynth.generate` makes of one image, however it is given, what a build makes of its file."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from radiograph_files import write_folder

import dfsynth
from dfsynth.errors import DfsynthError, ImageError, UsageError
from dfsynth.jobs.checkpoint_generator import CheckpointMaker
from dfsynth.jobs.synthetic_image import SyntheticImage
from dfsynth.preprocess import to_grid, to_source


@pytest.fixture
def how(tiny_checkpoint: Path) -> dict[str, Any]:
    """Options that a build and a single image share."""
    return {
        "checkpoint": str(tiny_checkpoint),
        "mc_samples": 3,
        "precision": "fp32",
        "device": "cpu",
    }


@pytest.fixture
def grey() -> np.ndarray:
    return np.random.default_rng(4).integers(0, 250, (40, 30), np.uint8)


def data_set(pixels: np.ndarray, photometric: str = "MONOCHROME2") -> pydicom.Dataset:
    """A DICOM image as a program makes it in memory."""
    made = pydicom.Dataset()
    made.Rows, made.Columns = pixels.shape
    made.SamplesPerPixel = 1
    made.BitsAllocated = made.BitsStored = 8 * pixels.itemsize
    made.HighBit = made.BitsStored - 1
    made.PixelRepresentation = 0
    made.PhotometricInterpretation = photometric
    made.PatientName = "Nobody^Private"
    made.PixelData = pixels.tobytes()
    made["PixelData"].VR = "OB"
    return made


def assert_equal_values(one: SyntheticImage, other: SyntheticImage) -> None:
    for name, values in one.maps.items():
        np.testing.assert_array_equal(values, other.maps[name], err_msg=name)
    assert one.scores == other.scores


@pytest.mark.parametrize("more", [{}, {"dtype": "float16", "size": (48, 40), "seed": 3}])
def test_values_are_those_of_a_build_bit_for_bit(tmp_path, how, more):
    folder = write_folder(tmp_path / "radiographs", 5)
    maps = ("dark_field", "aleatoric", "epistemic", "attenuation")
    dfsynth.build(folder, tmp_path / "x.zarr", maps=maps, **how, **more)
    store = dfsynth.open_store(tmp_path / "x.zarr")
    for row in range(5):
        stored = store.row(row)
        made = dfsynth.generate(folder / stored.image_id, image_id=stored.image_id, **how, **more)
        for name in maps:
            np.testing.assert_array_equal(made.maps[name], stored.read(name), err_msg=name)
            assert made.maps[name].dtype == np.float32
        for name, value in made.scores.items():
            expected = stored.facts[name]
            assert expected is None if value is None else np.float32(value) == expected, name
        assert list(made.flags) == stored.facts["flags"]


def test_an_image_is_called_by_its_file_and_its_masks_depend_on_that(tmp_path, how):
    folder = write_folder(tmp_path, 2)
    path = folder / "part0" / "image0000.png"
    made = dfsynth.generate(path, **how)
    assert made.image_id == "image0000.png"
    assert_equal_values(made, dfsynth.generate(str(path), image_id="image0000.png", **how))
    other = dfsynth.generate(path, image_id="other", **how)
    assert np.any(other.dark_field != made.dark_field)


def test_arrays_files_and_data_sets_of_the_same_pixels_are_the_same(tmp_path, how, grey):
    cv2.imwrite(str(tmp_path / "a.png"), grey)
    of_file = dfsynth.generate(tmp_path / "a.png", image_id="0", **how)
    for given in (grey, data_set(grey), grey.astype(np.uint16), grey.astype(np.float64) * 7):
        made = dfsynth.generate(given, **how)
        np.testing.assert_allclose(made.attenuation, of_file.attenuation, atol=1e-3)
    assert_equal_values(dfsynth.generate(grey, **how), of_file)
    assert_equal_values(dfsynth.generate(data_set(grey), **how), of_file)
    assert_equal_values(dfsynth.generate(np.dstack([grey] * 3), **how), of_file)


def test_a_data_set_that_was_read_is_the_same_as_its_file(tmp_path, how, grey):
    made = data_set(grey.astype(np.uint16) * 16)
    made["PixelData"].VR = "OW"
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = (
        pydicom.uid.SecondaryCaptureImageStorage
    )
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.UID("1.2.3")
    made.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    of_file = dfsynth.generate(tmp_path / "a.dcm", image_id="0", **how)
    assert_equal_values(dfsynth.generate(pydicom.dcmread(tmp_path / "a.dcm"), **how), of_file)
    assert "Private" not in repr(of_file) + of_file._repr_html_()


def test_what_was_assumed_is_said(tmp_path, how, grey):
    made = dfsynth.generate(grey, **how)
    assert made.polarity == "an array says nothing of it: dense tissue is taken as bright"
    low, high = made.window
    shown = (to_grid(grey, made.geometry) - low) / (high - low)
    np.testing.assert_allclose(
        made.attenuation[made.geometry.content], np.clip(shown, 0, 1), atol=1e-3
    )
    turned = dfsynth.generate(data_set(grey, "MONOCHROME1"), **how)
    assert turned.polarity == "MONOCHROME1: turned, so that dense tissue is bright"
    cv2.imwrite(str(tmp_path / "a.jpg"), grey)
    assert dfsynth.generate(tmp_path / "a.jpg", **how).polarity.startswith("MONOCHROME2: dense")


def test_inverted_turns_what_the_file_has_wrong(how, grey):
    right = dfsynth.generate(255 - grey, **how)
    for given in (grey, data_set(255 - grey, "MONOCHROME1")):
        made = dfsynth.generate(given, inverted=True, **how)
        assert_equal_values(made, right)
        assert made.polarity == "turned, since inverted=True"
    numbers = (255 - grey) / np.float32(255)
    made = dfsynth.generate(1 - numbers, inverted=True, **how)
    np.testing.assert_allclose(made.attenuation, right.attenuation, atol=2e-3)


def test_the_record_says_where_the_image_lies(how, grey):
    made = dfsynth.generate(grey, **how)
    assert (made.facts.height, made.facts.width, made.facts.bits) == (40, 30, 8)
    assert to_source(made.dark_field, made.geometry).shape == grey.shape
    assert made.generator.name == "tiny"
    assert made.lung is not None
    assert made.aleatoric.shape == made.epistemic.shape == (32, 32)
    assert repr(made).startswith("<SyntheticImage '0': 32 × 32")
    with pytest.raises(AttributeError):
        made.image_id = "other"  # type: ignore[misc]


def test_pictures_are_in_the_html_and_names_are_escaped(how, grey):
    shown = dfsynth.generate(grey, image_id="<b>\x1b[31m&", **how)._repr_html_()
    assert shown.count('alt="') == 8
    assert shown.count("data:image/png;base64,") == 8
    assert "&lt;b&gt;\\u001b[31m&amp;" in shown
    assert "<b>" not in shown
    assert "\x1b" not in shown
    assert "not for diagnosis" in shown


def test_a_network_is_loaded_once_and_anew_when_it_changes(tmp_path, how, grey, monkeypatch):
    folder = tmp_path / "copy"
    shutil.copytree(how["checkpoint"], folder)
    options = {**how, "checkpoint": str(folder)}
    loads: list[CheckpointMaker] = []
    make = CheckpointMaker.make

    def watched(maker, precision, grid):
        loads.append(maker)
        return make(maker, precision, grid)

    monkeypatch.setattr(CheckpointMaker, "make", watched)
    first = dfsynth.generate(grey, **options)
    again = dfsynth.generate(255 - grey, image_id="b", inverted=True, **options)
    assert len(loads) == 1
    assert_equal_values(dfsynth.generate(grey, image_id="b", **options), again)
    weights = folder / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-2:] = b"\x00\x3c"
    weights.write_bytes(content)
    changed = dfsynth.generate(grey, **options)
    assert len(loads) == 2
    assert changed.generator.sha256 != first.generator.sha256


def test_threads_share_the_network_and_get_the_same(how, grey):
    expected = dfsynth.generate(grey, **how)
    with ThreadPoolExecutor(4) as threads:
        found = [threads.submit(dfsynth.generate, grey, **how) for _ in range(8)]
    for made in found:
        assert_equal_values(made.result(), expected)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (np.zeros((4, 4), bool), UsageError, "found an array of shape .* bool"),
        (np.zeros(4, np.uint8), UsageError, "expected numbers"),
        (np.zeros((0, 4)), UsageError, "expected numbers"),
        (np.zeros((4, 4, 3)), UsageError, "one channel"),
        (np.zeros((4, 4, 7), np.uint8), ImageError, "one to four"),
        (np.full((4, 4), 7, np.uint8), ImageError, "same value"),
        (np.array([[0, np.nan], [1, 2]]), ImageError, "not finite"),
        (np.array([[0, 1e300], [1, 2]]), ImageError, "not finite"),
        ([["a", "b"]], UsageError, "expected numbers"),
        (pydicom.Dataset(), ImageError, "required element|no pixel"),
        ("no-such-folder/image.png", DfsynthError, "no-such-folder"),
    ],
)
def test_what_is_no_image_is_refused_in_one_line(how, given, error, message):
    with pytest.raises(error, match=message) as caught:
        dfsynth.generate(given, **how)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_none_is_refused_as_in_a_build(tmp_path, how):
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(ImageError) as caught:
        dfsynth.generate(tmp_path / "text.png", **how)
    assert caught.value.code == "not_an_image"
    with pytest.raises(ImageError) as caught:
        dfsynth.generate(tmp_path / "missing.png", **how)
    assert caught.value.code == "missing"


def test_options_are_those_of_a_build(how, grey):
    with pytest.raises(UsageError, match="--mc slow"):
        dfsynth.generate(grey, **{**how, "mc": "slow"})
    with pytest.raises(UsageError, match="--size 4x4"):
        dfsynth.generate(grey, size=4, **how)
