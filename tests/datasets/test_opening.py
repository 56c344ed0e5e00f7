"""What is opened as pairs, and one clear line for what is not."""

import csv
import shutil

import imagecodecs
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pair_files import write_floats, write_pair_folders, write_radiograph, write_signal
from radiograph_files import write_folder
from toy_generator import ToyMaker
from toy_simulator import ToyPairMaker

from dfsynth.datasets import indices_in, open_pairs
from dfsynth.errors import StoreError, UsageError
from dfsynth.jobs.build import run_build
from dfsynth.jobs.simulate import run_simulation
from dfsynth.options import BuildOptions, SimulateOptions
from dfsynth.progress import Silent
from dfsynth.splits import split_of
from dfsynth.store import StoreLayout
from dfsynth.store.opened import open_store
from dfsynth.store.zarr.paths import shard_path

WINDOW = (0.0, 1.0)


def write_table(folder, columns, rows):
    path = folder / "pairs.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def simulated(out, n=12, **more):
    options = SimulateOptions(out=out, n=n, size=64, shard_size=5)
    run_simulation(options, ToyPairMaker(options, **more), Silent())
    return out


class TestFolders:
    def test_names_match_whatever_their_suffixes(self, tmp_path):
        source = open_pairs(*write_pair_folders(tmp_path, 3), 16, WINDOW)
        assert [row.key for row in source.rows] == ["case000", "case001", "case002"]
        assert source.description.startswith("pairs of the folders attenuation and dark: 3 pairs")
        assert source.read(2).image.shape == (16, 16)

    def test_every_file_is_its_own_patient_and_that_is_warned_of(self, tmp_path):
        source = open_pairs(*write_pair_folders(tmp_path, 3), 16, WINDOW)
        assert source.warnings[0].startswith("3 of 3 pairs without a patient")

    def test_files_below_folders_match_by_their_path(self, tmp_path):
        for number, folder in enumerate(("x", "y")):
            write_radiograph(tmp_path / "a" / folder / "1.png", number)
            write_signal(tmp_path / "b" / folder / "1.tif", number)
        source = open_pairs(tmp_path / "a", tmp_path / "b", 16, WINDOW)
        assert [row.key for row in source.rows] == ["x/1", "y/1"]

    def test_a_name_that_ends_in_a_number_is_whole(self, tmp_path):
        for number in (112, 113):
            write_radiograph(tmp_path / "x.png", number)
            for side in "ab":
                (tmp_path / side).mkdir(exist_ok=True)
                shutil.copy(tmp_path / "x.png", tmp_path / side / f"1.2.840.{number}")
        assert len(open_pairs(tmp_path / "a", tmp_path / "b", 16, WINDOW).rows) == 2

    @pytest.mark.parametrize(("side", "other"), [("attenuation", "dark"), ("dark", "attenuation")])
    def test_files_without_a_partner_are_named(self, tmp_path, side, other):
        folders = write_pair_folders(tmp_path, 3)
        write_radiograph(tmp_path / side / "alone.png", 9)
        with pytest.raises(UsageError, match=rf"1 file has no partner in {other}: 'alone.png'"):
            open_pairs(*folders, 16, WINDOW)

    def test_two_files_of_one_name_are_refused(self, tmp_path):
        folders = write_pair_folders(tmp_path, 3)
        write_radiograph(folders[0] / "case001.jpg", 9)
        with pytest.raises(UsageError, match=r"case001\.\w+ and case001\.\w+ in attenuation"):
            open_pairs(*folders, 16, WINDOW)

    def test_a_folder_beside_itself_is_refused(self, tmp_path):
        folder, _ = write_pair_folders(tmp_path, 3)
        with pytest.raises(UsageError, match=r"case000\.png is input and target at once"):
            open_pairs(folder, folder, 16, WINDOW)

    def test_an_empty_folder_is_refused(self, tmp_path):
        (tmp_path / "a").mkdir()
        _, targets = write_pair_folders(tmp_path, 2)
        with pytest.raises(UsageError, match="no images in the folder"):
            open_pairs(tmp_path / "a", targets, 16, WINDOW)

    def test_a_nifti_file_is_paired_with_another_of_its_name(self, tmp_path):
        inputs, targets = write_pair_folders(tmp_path, 2)
        (targets / "case000.tif").rename(targets / "case000.nii.gz")
        (targets / "case001.tif").rename(targets / "case001.nii")
        assert [row.key for row in open_pairs(inputs, targets, 16, WINDOW).rows] == [
            "case000",
            "case001",
        ]

    def test_one_patient_can_be_opened_to_be_evaluated(self, tmp_path):
        found = open_pairs(*write_pair_folders(tmp_path, 1), 16, WINDOW)
        assert [row.split for row in found.rows] == [split_of(found.rows[0].patient_id)]

    def test_the_fingerprint_is_of_the_files_and_not_of_their_place(self, tmp_path):
        write_pair_folders(tmp_path / "one", 3)
        shutil.copytree(tmp_path / "one", tmp_path / "two")
        prints = [
            open_pairs(place / "attenuation", place / "dark", 16, WINDOW).fingerprint()
            for place in (tmp_path / "one", tmp_path / "two")
        ]
        assert prints[0] == prints[1]
        write_radiograph(tmp_path / "two" / "attenuation" / "case001.png", 1, 24, 20)
        source = open_pairs(tmp_path / "two" / "attenuation", tmp_path / "two" / "dark", 16, WINDOW)
        assert source.fingerprint() != prints[0]

    def test_targets_of_equal_size_that_were_made_anew_are_other_pairs(self, tmp_path):
        folders = write_pair_folders(tmp_path, 3)
        before = open_pairs(*folders, 16, WINDOW).fingerprint()
        target = folders[1] / "case001.tif"
        size = target.stat().st_size
        write_floats(target, imagecodecs.tiff_decode(target.read_bytes())[::-1])
        assert target.stat().st_size == size
        assert open_pairs(*folders, 16, WINDOW).fingerprint() != before

    def test_numpy_targets_are_partners_of_png_radiographs(self, tmp_path):
        folders = write_pair_folders(tmp_path, 3)
        for path in folders[1].glob("*.tif"):
            np.save(path.with_suffix(".npy"), imagecodecs.tiff_decode(path.read_bytes()))
            path.unlink()
        (folders[1] / "Thumbs.db").write_bytes(b"of no camera")
        found = open_pairs(*folders, 16, WINDOW)
        assert len(found.rows) == 3
        assert found.read(1).target.std() > 0

    def test_a_bad_pair_is_named_when_it_is_read(self, tmp_path):
        folders = write_pair_folders(tmp_path, 3)
        (folders[1] / "case002.tif").write_bytes(b"no image")
        with pytest.raises(UsageError, match=r"pair 'case002': dark-field image case002\.tif: "):
            open_pairs(*folders, 16, WINDOW).read(2)


class TestTable:
    ROWS = tuple((f"attenuation/case{n:03d}.png", f"dark/case{n:03d}.tif") for n in range(4))

    @pytest.fixture
    def folder(self, tmp_path):
        write_pair_folders(tmp_path, 4)
        return tmp_path

    def test_columns_are_found_in_any_order_and_case(self, folder):
        rows = [("p1", d, "test", a) for a, d in self.ROWS[:2]]
        rows += [(f"p{n}", d, "", a) for n, (a, d) in enumerate(self.ROWS[2:], 2)]
        table = write_table(folder, ["Patient ID", "Dark-Field", "SPLIT", "Attenuation"], rows)
        source = open_pairs(table, None, 16, WINDOW)
        assert [row.key for row in source.rows] == [a for a, _ in self.ROWS]
        assert [row.patient_id for row in source.rows] == ["p1", "p1", "p2", "p3"]
        assert indices_in(source, "test") == (0, 1)
        assert source.read(3).target.min() < 0

    def test_else_the_first_two_columns_of_files_are_taken(self, folder):
        report = "no finding " * 50
        rows = [(n, report, a, "PA", d) for n, (a, d) in enumerate(self.ROWS)]
        table = write_table(folder, ["number", "report", "x-ray", "view", "signal"], rows)
        assert open_pairs(table, None, 16, WINDOW).read(0).target.min() < 0

    def test_parquet_is_read_too(self, folder):
        columns = {
            "attenuation": [a for a, _ in self.ROWS],
            "dark_field": [d for _, d in self.ROWS],
        }
        pq.write_table(pa.table({**columns, "patient_id": [1, 1, 2, 3]}), folder / "x.parquet")
        source = open_pairs(folder / "x.parquet", None, 16, WINDOW)
        assert [row.patient_id for row in source.rows] == ["1", "1", "2", "3"]

    def test_absolute_paths_are_taken(self, folder):
        rows = [(folder / a, folder / d) for a, d in self.ROWS]
        table = write_table(folder, ["attenuation", "dark_field"], rows)
        assert open_pairs(table, None, 16, WINDOW).read(1).image.max() == 1

    def test_tables_written_on_windows_are_taken(self, folder):
        rows = [[name.replace("/", "\\") for name in pair] for pair in self.ROWS]
        for columns in (["attenuation", "dark_field"], ["a", "b"]):
            source = open_pairs(write_table(folder, columns, rows), None, 16, WINDOW)
            assert source.read(1).image.max() == 1

    def test_empty_patients_are_warned_of_and_are_nobody_else(self, folder):
        rows = [(*files, patient) for files, patient in zip(self.ROWS, "ab  ", strict=True)]
        source = open_pairs(
            write_table(folder, ["attenuation", "dark_field", "patient_id"], rows), None, 16, WINDOW
        )
        assert len({row.patient_id for row in source.rows}) == 4
        assert source.warnings[0].startswith("2 of 4 pairs without a patient")

    @pytest.mark.parametrize(
        ("columns", "rows", "sentence"),
        [
            (["a", "b"], [("x", "y")], "has no two columns of files: found the columns 'a', 'b'"),
            (["attenuation", "dark_field"], [], "has no row"),
            (["attenuation", "dark_field"], [("a.png", "")], "row 1 of pairs.csv lacks a path"),
            (["attenuation", "dark_field"], [("a.png", "b.png")], "2 files are not there: 'a.png'"),
            (["attenuation", "dark_field"], [ROWS[0], ROWS[0]], "comes twice in pairs.csv"),
            (
                ["attenuation", "dark_field"],
                [ROWS[0], (ROWS[1][0], ROWS[0][1])],
                "case000.tif comes twice, in pairs",
            ),
            (
                ["attenuation", "dark_field", "patient_id", "split"],
                [(*ROWS[0], "p", "train"), (*ROWS[1], "p", "val")],
                "patient 'p' is in train and, with pair 'attenuation/case001.png', in val",
            ),
        ],
    )
    def test_bad_tables_are_refused(self, folder, columns, rows, sentence):
        with pytest.raises(UsageError, match=sentence):
            open_pairs(write_table(folder, columns, rows), None, 16, WINDOW)


class TestStore:
    def test_failed_pairs_are_left_out_and_warned_of(self, tmp_path):
        source = open_pairs(simulated(tmp_path / "x.zarr"), None, 64, WINDOW)
        assert len(source.rows) == 10
        assert "pair-0000002" not in {row.key for row in source.rows}
        assert source.warnings[0].startswith("left out: 2 pairs of the store that failed")
        assert (source.rows[0].origin, source.rows[0].license) == ("phantom", "CC0-1.0")

    def test_values_are_those_of_the_store(self, tmp_path):
        path = simulated(tmp_path / "x.zarr")
        store, row = open_store(path), 3  # row 2 failed
        pair = open_pairs(path, None, 64, WINDOW).read(2)
        assert pair.clean is not None
        assert pair.lung is not None
        assert pair.lung_weight is not None
        np.testing.assert_array_equal(pair.target, store.read("dark_field", row))
        np.testing.assert_array_equal(pair.clean, store.read("dark_field_clean", row))
        mask = store.read("lung_mask", row)
        np.testing.assert_array_equal(pair.lung, mask == 1)
        np.testing.assert_array_equal(pair.lung_weight, mask != 2)
        assert (pair.image.min(), pair.image.max()) == (0, 1)

    def test_a_coarser_grid_averages_and_keeps_masks_binary(self, tmp_path):
        store = simulated(tmp_path / "x.zarr")
        fine, coarse = (open_pairs(store, None, grid, WINDOW).read(0) for grid in (64, 32))
        blocks = fine.target.reshape(32, 2, 32, 2).mean(axis=(1, 3))
        np.testing.assert_allclose(coarse.target, blocks, atol=1e-6)
        for mask in (coarse.lung, coarse.lung_weight):
            assert mask is not None
            assert set(np.unique(mask)) == {0, 1}

    def test_enlarging_is_warned_of(self, tmp_path):
        source = open_pairs(simulated(tmp_path / "x.zarr"), None, 128, WINDOW)
        assert any("enlarged to 128 × 128" in text for text in source.warnings)

    def test_the_fingerprint_is_of_the_values_and_not_of_the_place(self, tmp_path):
        one = simulated(tmp_path / "x.zarr")
        two = tmp_path / "other.zarr"
        shutil.copytree(one, two)
        more = simulated(tmp_path / "more.zarr", n=14)
        prints = [open_pairs(p, None, 64, WINDOW).fingerprint() for p in (one, two, more)]
        assert prints[0] == prints[1] != prints[2]

    def test_a_damaged_value_is_never_read(self, tmp_path):
        store = simulated(tmp_path / "x.zarr")
        path = shard_path(StoreLayout(store), "dark_field", 0)
        content = bytearray(path.read_bytes())
        content[40] ^= 255
        path.write_bytes(content)
        with pytest.raises(StoreError):
            open_pairs(store, None, 64, WINDOW).read(0)

    def test_an_unfinished_store_is_warned_of(self, tmp_path):
        store = simulated(tmp_path / "x.zarr")
        StoreLayout(store).part(1).unlink()
        source = open_pairs(store, None, 64, WINDOW)
        assert any("5 of 12 pairs of the store, not made yet" in w for w in source.warnings)

    def test_generated_images_are_no_pairs(self, tmp_path):
        images = write_folder(tmp_path / "images", 2)
        run_build(BuildOptions(source=str(images), out=tmp_path / "i.zarr"), ToyMaker(), Silent())
        with pytest.raises(UsageError, match="holds images that were generated, not pairs"):
            open_pairs(tmp_path / "i.zarr", None, 64, WINDOW)

    def test_targets_beside_a_store_are_refused(self, tmp_path):
        store = simulated(tmp_path / "x.zarr")
        (tmp_path / "dark").mkdir()
        with pytest.raises(UsageError, match="is a store, which names its targets itself"):
            open_pairs(store, tmp_path / "dark", 64, WINDOW)


def test_nothing_of_the_kind_is_refused(tmp_path):
    folder, _ = write_pair_folders(tmp_path, 2)
    with pytest.raises(UsageError, match=r"there is no .*nowhere; expected a store"):
        open_pairs(tmp_path / "nowhere", None, 16, WINDOW)
    with pytest.raises(UsageError, match="are --targets missing"):
        open_pairs(folder, None, 16, WINDOW)
    with pytest.raises(UsageError, match="holds no pairs; expected a store"):
        open_pairs(folder / "case000.png", None, 16, WINDOW)
    with pytest.raises(UsageError, match="is no folder; expected two folders"):
        open_pairs(folder, folder / "case000.png", 16, WINDOW)
