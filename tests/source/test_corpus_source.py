import shutil
from pathlib import Path

import cv2
import pytest

from dfsynth.errors import UsageError
from dfsynth.source import open_source

NIH = Path(__file__).parents[1] / "data" / "nih"
NAMES = sorted(path.name for path in NIH.glob("*.png"))
TABLE = "Data_Entry_2017_v2020.csv"
OLD_TABLE = "Data_Entry_2017.csv"
OLD_HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n"
)


def test_the_official_layout(nih_root, ids_of, items_of) -> None:
    source = open_source("nih", nih_root)
    listing = source.listing()
    assert ids_of(listing) == NAMES
    assert listing.table.column("uri").to_pylist() == [
        f"images_{1 + i // 3:03d}/images/{name}" for i, name in enumerate(NAMES)
    ]
    rows = {row["image_id"]: row for row in listing.table.to_pylist()}
    assert rows["00000468_040.png"] == {
        "image_id": "00000468_040.png",
        "uri": "images_001/images/00000468_040.png",
        "offset": None,
        "size_bytes": None,
        "patient_id": "468",
        "view": "PA",
        "sex": "M",
        "age": 31.0,
        "findings": ["Infiltration", "Pneumonia", "Pneumothorax"],
        "findings_negative": None,
        "findings_uncertain": None,
        "split": "train_val",
        "width_mm": None,
        "height_mm": None,
        "pixel_mm": None,
    }
    assert rows["00001300_000.png"]["findings"] == ["No Finding"]
    assert rows["00001018_005.png"]["view"] == "AP"
    assert listing.table.column("split").to_pylist() == ["train_val"] * 4 + ["test"] * 2
    assert listing.excluded == {}
    assert listing.warnings == ()
    for item in items_of(listing):
        assert source.read(item, 1 << 20) == (NIH / item.image_id).read_bytes()
    assert source.name == "nih"
    assert "NIH Clinical Center" in source.license


@pytest.mark.parametrize("folder", [".", "images", "images_007"])
def test_flat_layouts(nih_root, ids_of, folder) -> None:
    for image in list(nih_root.rglob("*.png")):
        (nih_root / folder).mkdir(exist_ok=True)
        shutil.move(image, nih_root / folder)
    listing = open_source("nih", nih_root).listing()
    assert ids_of(listing) == NAMES
    assert listing.table.column("patient_id").null_count == 0
    assert listing.warnings == ()


def test_an_image_in_two_folders_is_refused(nih_root) -> None:
    (nih_root / "images").mkdir()
    shutil.copy(NIH / NAMES[2], nih_root / "images")
    places = rf"images/{NAMES[2]}, images_001/images/{NAMES[2]}"
    with pytest.raises(UsageError, match=rf"corpus nih: '{NAMES[2]}' \(2 times: {places}\)"):
        open_source("nih", nih_root).listing()


def test_other_folders_and_files_are_counted(nih_root, ids_of) -> None:
    (nih_root / "small").mkdir()
    shutil.copy(NIH / NAMES[0], nih_root / "small")
    (nih_root / "README_CHESTXRAY.pdf").write_bytes(b"%PDF")
    (nih_root / "images_001" / "images" / ".DS_Store").write_bytes(b"1")
    listing = open_source("nih", nih_root).listing()
    assert ids_of(listing) == NAMES
    assert listing.excluded == {
        "outside_image_folders": 1,
        "unexpected_suffix:.pdf": 1,
        "hidden": 1,
    }


def test_a_colour_copy_is_an_input_like_any_other(nih_root, ids_of, items_of) -> None:
    path = nih_root / "images_001" / "images" / NAMES[0]
    grey = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert grey is not None
    cv2.imwrite(str(path), cv2.cvtColor(grey, cv2.COLOR_GRAY2BGRA))
    source = open_source("nih", nih_root)
    listing = source.listing()
    assert ids_of(listing) == NAMES
    assert source.read(next(iter(items_of(listing))), 1 << 20) == path.read_bytes()


def test_archives_that_were_not_unpacked_are_named(nih_root) -> None:
    for number in (3, 4):
        (nih_root / f"images_{number:03d}.tar.gz").write_bytes(b"\x1f\x8b")
    listing = open_source("nih", nih_root).listing()
    assert listing.excluded["archive"] == 2
    assert "images_003.tar.gz, images_004.tar.gz; unpack them" in listing.warnings[0]


def test_only_archives_give_no_images_and_advice(tmp_path) -> None:
    (tmp_path / "images_001.tar.gz").write_bytes(b"\x1f\x8b")
    with pytest.raises(UsageError, match=r"no images.*1 × archive.*unpack them"):
        open_source("nih", tmp_path).listing()


def test_a_partial_download_is_normal(nih_root, ids_of) -> None:
    shutil.rmtree(nih_root / "images_002")
    listing = open_source("nih", nih_root).listing()
    assert ids_of(listing) == NAMES[:3]
    assert listing.excluded["in_table_but_not_on_disk"] == 3
    assert [w for w in listing.warnings if "not on disk" in w] == [
        "not on disk: 3 of 6 images in the table; a part of the corpus is enough"
    ]


def test_images_that_the_table_lacks_stay(nih_root, ids_of) -> None:
    unlisted = "99999999_000.png"
    shutil.copy(NIH / NAMES[0], nih_root / "images_002" / "images" / unlisted)
    listing = open_source("nih", nih_root).listing()
    assert ids_of(listing) == [*NAMES, unlisted]
    row = listing.table.to_pylist()[-1]
    assert {row[name] for name in ("patient_id", "view", "sex", "age", "split")} == {None}
    assert row["findings"] is None
    assert any(w.startswith("1 image on disk is not in the table") for w in listing.warnings)
    assert any(w.startswith("1 image is in none of the lists") for w in listing.warnings)


def test_a_missing_table_is_named_with_what_is_lost(nih_root, ids_of) -> None:
    (nih_root / TABLE).unlink()
    listing = open_source("nih", nih_root).listing()
    assert ids_of(listing) == NAMES
    assert listing.warnings == (
        f"the table {TABLE} or {OLD_TABLE} is not in the root; patient_id, view, sex, age, "
        "findings, width_mm, height_mm are null",
    )
    assert listing.table.column("patient_id").null_count == len(NAMES)
    assert listing.table.column("split").null_count == 0


def test_a_missing_list_is_named_with_what_is_lost(nih_root) -> None:
    (nih_root / "test_list.txt").unlink()
    listing = open_source("nih", nih_root).listing()
    assert listing.warnings == (
        "the list test_list.txt is not in the root; split is null for the images of 'test'",
    )
    assert listing.table.column("split").to_pylist() == ["train_val"] * 4 + [None] * 2


def test_an_image_in_both_lists_is_refused(nih_root) -> None:
    with (nih_root / "test_list.txt").open("a") as file:
        file.write(NAMES[0] + "\n")
    with pytest.raises(UsageError, match=rf"{NAMES[0]}.*both 'train_val' and 'test'"):
        open_source("nih", nih_root).listing()


def test_the_older_table_with_its_trailing_column(nih_root) -> None:
    (nih_root / TABLE).unlink()
    ages = ("058Y", "414", "011M", "61", "", "012D")
    (nih_root / OLD_TABLE).write_text(
        OLD_HEADER
        + "".join(
            f"{name},Edema|Mass,0,{int(name[:8])},{age},F,PA,2682,2749,0.143,0.139,\n"
            for name, age in zip(NAMES, ages, strict=True)
        )
    )
    listing = open_source("nih", nih_root).listing()
    found = listing.table.column("age").to_pylist()
    assert found == [58.0, None, pytest.approx(11 / 12), 61.0, None, pytest.approx(12 / 365.25)]
    row = listing.table.to_pylist()[0]
    assert (row["sex"], row["findings"]) == ("F", ["Edema", "Mass"])
    assert row["width_mm"] == pytest.approx(2682 * 0.143)
    assert row["height_mm"] == pytest.approx(2749 * 0.139)
    assert listing.warnings == ("1 value of age is not an age from 0 to 120 years and became null",)


def test_the_newest_table_wins(nih_root) -> None:
    row = f"{NAMES[0]},Hernia,0,1,1,F,PA,1,1,1,1,\n"
    (nih_root / OLD_TABLE).write_text(OLD_HEADER + row)
    listing = open_source("nih", nih_root).listing()
    assert listing.table.column("findings")[0].as_py() == ["Pneumonia"]


def test_a_table_that_names_an_image_twice_is_refused(nih_root) -> None:
    table = nih_root / TABLE
    table.write_text(table.read_text() + table.read_text().splitlines()[1] + "\n")
    with pytest.raises(
        UsageError, match=rf"the table {TABLE}: '{NAMES[0]}' \(2 times, in rows 1, 7\)"
    ):
        open_source("nih", nih_root).listing()


def test_a_table_without_ids_is_refused(nih_root) -> None:
    (nih_root / TABLE).write_text("file,label\na,b\n")
    with pytest.raises(UsageError, match=r"lacks the columns of its key: found 'file', 'label'"):
        open_source("nih", nih_root).listing()


def test_a_table_without_a_column_is_reported(nih_root) -> None:
    (nih_root / TABLE).write_text(f"Image Index,Patient ID\n{NAMES[0]},218\n")
    listing = open_source("nih", nih_root).listing()
    lacking = (
        f"the table {TABLE} has no column Patient Sex or Patient Gender (nearest: 'Patient ID')"
    )
    assert lacking in listing.warnings
    assert listing.table.column("patient_id")[0].as_py() == "218"


def test_no_machine_path_in_the_listing(nih_root) -> None:
    listing = open_source("nih", nih_root).listing()
    text = f"{listing.table.to_pylist()}{listing.excluded}{listing.warnings}"
    assert str(nih_root) not in text
