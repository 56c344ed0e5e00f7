"""Files → images: values, geometry, and one clear line for each kind of bad file."""

import cv2
import imagecodecs
import numpy as np
import pytest
from pair_files import write_floats, write_radiograph, write_signal

from dfsynth.datasets.image_files import read_pair
from dfsynth.errors import UsageError
from dfsynth.records import IntensityWindow

WINDOW = (0.1, 0.7)


def read(folder, grid=20, target="b.tif", source="a.png"):
    return read_pair(folder / source, folder / target, grid, WINDOW, IntensityWindow())


@pytest.fixture
def folder(tmp_path):
    write_radiograph(tmp_path / "a.png", 1, 20, 20)
    write_signal(tmp_path / "b.tif", 1, 20, 20)
    return tmp_path


def test_floating_signals_are_taken_as_they_are(folder):
    found = read(folder)
    values = imagecodecs.tiff_decode((folder / "b.tif").read_bytes())
    np.testing.assert_array_equal(found.dark_field, values)
    assert found.dark_field.min() < 0
    assert found.image.dtype == found.dark_field.dtype == np.float32
    assert (found.image.min(), found.image.max()) == (0.0, 1.0)
    assert found.clean is None
    assert found.lung is None


@pytest.mark.parametrize(("dtype", "full"), [(np.uint8, 255), (np.uint16, 65535)])
def test_integer_signals_stand_for_the_window(folder, dtype, full):
    values = np.linspace(0, full, 400).astype(dtype).reshape(20, 20)
    assert cv2.imwrite(str(folder / "b.png"), values)
    found = read(folder, target="b.png").dark_field
    np.testing.assert_allclose(found, 0.1 + 0.6 * values / full, atol=1e-6)


def test_double_precision_signals_are_read(folder):
    values = np.random.default_rng(0).normal(size=(20, 20))
    write_floats(folder / "b.tif", values)
    np.testing.assert_array_equal(read(folder).dark_field, values.astype(np.float32))


def test_radiographs_may_hold_floating_numbers(folder):
    write_signal(folder / "a.tif", 5, 20, 20)
    assert read(folder, source="a.tif").image.max() == 1.0


def test_both_are_letterboxed_alike_and_padding_is_zero(tmp_path):
    write_radiograph(tmp_path / "a.png", 1, 40, 20)
    write_signal(tmp_path / "b.tif", 1, 40, 20)
    found = read(tmp_path)
    assert found.content == (slice(0, 20), slice(5, 15))
    for values in (found.image, found.dark_field):
        assert values.shape == (20, 20)
        assert not values[:, :5].any()
        assert not values[:, 15:].any()
        assert values[found.content].std() > 0


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.full((20, 20), 0.5, np.float32), r"b\.tif: every pixel has the same value, 0\.5"),
        (np.full((20, 20), np.nan, np.float32), r"b\.tif: 400 pixels are not finite"),
        (np.linspace(0, 1e300, 400).reshape(20, 20), r"b\.tif: \d+ pixels are not finite"),
        (np.zeros((20, 21), np.float32) + np.eye(20, 21, dtype=np.float32), r"20×20 and 20×21"),
        (np.zeros((20, 20, 3), np.float32), r"b\.tif: "),
    ],
)
def test_unusable_signals_are_refused_by_name(folder, values, sentence):
    write_floats(folder / "b.tif", values)
    with pytest.raises(UsageError, match=sentence):
        read(folder)


@pytest.mark.parametrize("name", ["a.png", "b.tif"])
@pytest.mark.parametrize("damage", [b"", b"no image", None])
def test_damaged_files_are_refused_by_name(folder, name, damage):
    path = folder / name
    path.write_bytes(path.read_bytes()[:-300] if damage is None else damage)
    with pytest.raises(UsageError, match=rf"^(radiograph|dark-field image) {name}: "):
        read(folder)


def test_numpy_files_are_read_as_they_are_and_never_unpickled(folder):
    values = np.random.default_rng(0).normal(size=(20, 20)).astype(np.float64)
    np.save(folder / "b.npy", values)
    np.testing.assert_allclose(read(folder, target="b.npy").dark_field, values, rtol=1e-6)
    np.save(folder / "b.npy", np.array([object()]), allow_pickle=True)
    with pytest.raises(UsageError, match=r"dark-field image b\.npy: no readable NumPy array"):
        read(folder, target="b.npy")
    np.save(folder / "b.npy", np.arange(400).reshape(20, 20))
    with pytest.raises(UsageError, match=r"floating-point numbers \(y, x\) were expected"):
        read(folder, target="b.npy")
    np.save(folder / "b.npy", np.full((20, 20), np.nan))
    with pytest.raises(UsageError, match="400 pixels are not finite"):
        read(folder, target="b.npy")


def test_a_radiograph_without_contrast_between_its_percentiles_is_refused(folder):
    pixels = np.zeros((20, 20), np.uint8)
    pixels[0, 0] = 255
    assert cv2.imwrite(str(folder / "a.png"), pixels)
    with pytest.raises(UsageError, match=r"a\.png has no contrast between its percentiles"):
        read(folder)
