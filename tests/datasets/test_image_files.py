"""Files → images: values, geometry, and one clear line for each kind of bad file."""

import struct

import cv2
import imagecodecs
import numpy as np
import pytest
from pair_files import write_floats, write_radiograph, write_signal
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from value_files import write_nifti

from dfsynth.datasets.image_files import decode_pair
from dfsynth.errors import UsageError
from dfsynth.preprocess import ModelInputReader
from dfsynth.records import IntensityWindow
from dfsynth.tasks import task_named

WINDOW = (0.1, 0.7)


def read(folder, grid=20, target="b.tif", source="a.png"):
    return decode_pair(folder / source, folder / target, grid, WINDOW, IntensityWindow()).images()


@pytest.fixture
def folder(tmp_path):
    write_radiograph(tmp_path / "a.png", 1, 20, 20)
    write_signal(tmp_path / "b.tif", 1, 20, 20)
    return tmp_path


def test_floating_signals_are_taken_as_they_are(folder):
    found = read(folder)
    values = imagecodecs.tiff_decode((folder / "b.tif").read_bytes())
    np.testing.assert_array_equal(found.target, values)
    assert found.target.min() < 0
    assert found.image.dtype == found.target.dtype == np.float32
    assert (found.image.min(), found.image.max()) == (0.0, 1.0)
    assert found.clean is None
    assert found.lung is None


@pytest.mark.parametrize(("dtype", "full"), [(np.uint8, 255), (np.uint16, 65535)])
def test_integer_signals_stand_for_the_window(folder, dtype, full):
    values = np.linspace(0, full, 400).astype(dtype).reshape(20, 20)
    assert cv2.imwrite(str(folder / "b.png"), values)
    found = read(folder, target="b.png").target
    np.testing.assert_allclose(found, 0.1 + 0.6 * values / full, atol=1e-6)


def test_double_precision_signals_are_read(folder):
    values = np.random.default_rng(0).normal(size=(20, 20))
    write_floats(folder / "b.tif", values)
    np.testing.assert_array_equal(read(folder).target, values.astype(np.float32))


def test_radiographs_may_hold_floating_numbers(folder):
    write_signal(folder / "a.tif", 5, 20, 20)
    assert read(folder, source="a.tif").image.max() == 1.0


def test_both_are_letterboxed_alike_and_padding_is_zero(tmp_path):
    write_radiograph(tmp_path / "a.png", 1, 40, 20)
    write_signal(tmp_path / "b.tif", 1, 40, 20)
    found = read(tmp_path)
    assert found.content == (slice(0, 20), slice(5, 15))
    for values in (found.image, found.target):
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
    np.testing.assert_allclose(read(folder, target="b.npy").target, values, rtol=1e-6)
    np.save(folder / "b.npy", np.array([object()]), allow_pickle=True)
    with pytest.raises(UsageError, match=r"dark-field image b\.npy: an array of object"):
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


def write_dicom(path, stored, **elements):
    data_set = Dataset()
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set.SOPClassUID, data_set.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3.4"
    data_set.Rows, data_set.Columns = stored.shape
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit = 16, 12, 11
    data_set.PixelRepresentation = int(stored.dtype.kind == "i")
    data_set.PixelData = stored.tobytes()
    data_set["PixelData"].VR = "OW"
    for keyword, value in elements.items():
        setattr(data_set, keyword, value)
    data_set.save_as(path, enforce_file_format=True)


STORED = np.linspace(0, 4095, 400).reshape(20, 20).astype(np.uint16)


def voi_table():
    item = Dataset()
    item.add_new(0x00283002, "US", [4096, 0, 12])
    item.add_new(0x00283006, "OW", np.arange(4095, -1, -1).astype("<u2").tobytes())
    return [item]


@pytest.mark.parametrize(
    "look",
    [
        {},
        {"WindowCenter": 600, "WindowWidth": 400},
        {"WindowCenter": [2048, 9], "WindowWidth": [4096, 9], "VOILUTFunction": "SIGMOID"},
        {"VOILUTSequence": voi_table()},
    ],
)
def test_windows_of_a_signal_are_a_way_to_look_at_it(folder, look):
    """DICOM PS3.3 C.11.2; nearly every writer adds one."""
    write_dicom(folder / "b.dcm", STORED, **look)
    found = read(folder, target="b.dcm").target
    np.testing.assert_allclose(found, 0.1 + 0.6 * STORED / 4095, atol=1e-6)


def test_a_rescaled_signal_is_taken_as_it_is_whatever_its_window(folder):
    scale = {"RescaleSlope": "0.001", "RescaleIntercept": "-0.5"}
    write_dicom(folder / "b.dcm", STORED, WindowCenter=1, WindowWidth=1.5, **scale)
    found = read(folder, target="b.dcm").target
    np.testing.assert_allclose(found, STORED * 0.001 - 0.5, atol=1e-5)


def test_signed_integers_stand_for_nothing_without_a_rescaling(folder):
    signed = (STORED // 2).astype(np.int16) - 1000
    write_dicom(folder / "b.dcm", signed)
    with pytest.raises(UsageError, match=r"b\.dcm: the DICOM file has signed integers without"):
        read(folder, target="b.dcm")
    write_dicom(folder / "b.dcm", signed, RescaleSlope="0.01", RescaleIntercept="0")
    found = read(folder, target="b.dcm").target
    np.testing.assert_allclose(found, signed * 0.01, atol=1e-5)


def test_radiographs_are_read_as_a_build_reads_them(folder):
    write_dicom(folder / "a.dcm", STORED, WindowCenter=600, WindowWidth=400)
    data = (folder / "a.dcm").read_bytes()
    expected = ModelInputReader((20, 20), IntensityWindow())(data)[1].image
    np.testing.assert_array_equal(read(folder, source="a.dcm").image, expected)


def claim(data, **sides):
    """The same little-endian TIFF whose directory claims other sides."""
    (start,) = struct.unpack_from("<I", data, 4)
    changed = bytearray(data)
    for place in range(start + 2, start + 2 + 12 * data[start], 12):
        (tag,) = struct.unpack_from("<H", data, place)
        name = {256: "width", 257: "height", 278: "rows"}.get(tag)
        if name in sides:
            struct.pack_into("<HHII", changed, place, tag, 4, 1, sides[name])
    return bytes(changed)


@pytest.mark.parametrize("name", ["a.tif", "b.tif"])
def test_a_small_floating_tiff_that_claims_much_reaches_no_decoder(folder, name, monkeypatch):
    write_signal(folder / name, 1, 20, 20)
    data = (folder / name).read_bytes()

    def called(*_, **__):
        raise AssertionError("the decoder was called")

    monkeypatch.setattr(imagecodecs, "tiff_decode", called)
    for sides, sentence in (
        ({"width": 20_000, "height": 20_000}, "more than the limit of 40000000"),
        ({"height": 21, "rows": 7}, r"where its size asks for 3 of each"),
        ({"width": 0}, "both sides must be at least 1"),
    ):
        (folder / name).write_bytes(claim(data, **sides))
        with pytest.raises(UsageError, match=rf"{name[0]}\.tif: .*{sentence}"):
            read(folder, source="a.tif" if name == "a.tif" else "a.png")


def numpy_file(header, values=b"", version=b"\1\0"):
    text = header.encode() + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + values


HEADER = "{{'descr': '{}', 'fortran_order': {}, 'shape': {}}}"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (numpy_file(HEADER.format("<f4", False, (10**6, 10**6))), "more than the limit"),
        (numpy_file(HEADER.format("<f4", False, (10**30, 2))), "more than the limit"),
        (numpy_file(HEADER.format("<f4", False, (20, 20)), bytes(1599)), "has 1599 bytes of"),
        (numpy_file(HEADER.format("<f4", False, (-20, 20))), "both sides must be at least 1"),
        (numpy_file(HEADER.format("<f4", False, (0, 20))), "both sides must be at least 1"),
        (numpy_file(HEADER.format("|O", False, (20, 20)), bytes(5000)), "an array of object"),
        (numpy_file(HEADER.format("<f4", False, "(" * 200)), "its header is damaged"),
        (numpy_file(HEADER.format("<x9", False, (20, 20))), "its header is damaged"),
        (numpy_file("'" * 3), "its header is damaged"),
        (numpy_file(HEADER.format("<f4", False, (20, 20)), version=b"\7\0"), "header is damaged"),
        (b"\x93NUMPY", "its header is damaged"),
    ],
)
def test_numpy_headers_are_not_trusted(folder, data, sentence):
    (folder / "b.npy").write_bytes(data)
    with pytest.raises(UsageError, match=rf"dark-field image b\.npy: .*{sentence}"):
        read(folder, target="b.npy")


@pytest.mark.parametrize("dtype", ["<f2", ">f4", "<f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numpy_files_of_every_order_are_read(folder, dtype, order):
    values = np.random.default_rng(0).normal(size=(20, 20)).astype(dtype, order=order)
    np.save(folder / "b.npy", values)
    np.testing.assert_allclose(
        read(folder, target="b.npy").target, values.astype(np.float32), rtol=1e-6
    )


def test_signals_may_be_nifti_slices_of_values(folder):
    values = np.random.default_rng(0).normal(-500, 300, (20, 20)).astype(np.float32)
    write_nifti(folder / "b.nii.gz", values)
    np.testing.assert_array_equal(read(folder, target="b.nii.gz").target, values)


def test_messages_use_the_words_of_the_task(folder):
    task = task_named("mri-motion")
    write_signal(folder / "short.tif", 1, 20, 10)
    with pytest.raises(UsageError, match=r"^MR image a\.png and MR magnitude image short\.tif"):
        decode_pair(
            folder / "a.png", folder / "short.tif", 20, WINDOW, IntensityWindow(), task=task
        )


@pytest.mark.parametrize("top", [255, 50000])
def test_targets_of_the_inputs_quantity_are_windowed_as_inputs_are(tmp_path, top):
    """An image is its own target, whatever part of its format's range it fills."""
    write_radiograph(tmp_path / "a.png", 1, 40, 40)
    grey = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    dtype = np.uint8 if top == 255 else np.uint16
    cv2.imwrite(str(tmp_path / "b.png"), (20 + grey * ((top - 40) / 255)).astype(dtype))
    task = task_named("restoration")
    files = tmp_path / "a.png", tmp_path / "b.png"
    pair = decode_pair(*files, 20, (0.0, 1.0), IntensityWindow(), task=task)
    found = pair.images()
    np.testing.assert_allclose(found.target, found.image, atol=0.02)
    assert pair.values().target is None


def test_floating_targets_of_the_inputs_quantity_are_taken_as_they_are(tmp_path):
    write_radiograph(tmp_path / "a.png", 1)
    write_signal(tmp_path / "b.tif", 2)
    task = task_named("restoration")
    files = tmp_path / "a.png", tmp_path / "b.tif"
    found = decode_pair(*files, 20, (0.0, 1.0), IntensityWindow(), task=task).images()
    assert found.target.min() < -0.1


def test_a_target_of_the_inputs_quantity_without_contrast_is_named(tmp_path):
    write_radiograph(tmp_path / "a.png", 1)
    spot = np.zeros((20, 16), np.uint8)
    spot[3, 3] = 200
    cv2.imwrite(str(tmp_path / "b.png"), spot)
    task = task_named("restoration")
    with pytest.raises(UsageError, match=r"b\.png has no contrast between its percentiles"):
        decode_pair(
            *(tmp_path / "a.png", tmp_path / "b.png", 20, (0.0, 1.0), IntensityWindow()), task=task
        )
