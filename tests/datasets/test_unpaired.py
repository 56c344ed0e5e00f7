"""Two collections that are no pairs: any numbers of images, no patient in two groups."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from pair_files import write_radiograph

from dfsynth.datasets import check_pairs, indices_in, open_unpaired
from dfsynth.errors import UsageError
from dfsynth.tasks import task_named

TASK = task_named("dark-field-radiography")


def write_images(folder: Path, count: int, first: int = 0, height: int = 20) -> Path:
    for number in range(first, first + count):
        write_radiograph(folder / f"image{number:03d}.png", number, height)
    return folder


def test_every_image_of_both_collections_is_seen_within_its_group(tmp_path: Path) -> None:
    good = write_images(tmp_path / "good", 23)
    poor = write_images(tmp_path / "poor", 9, first=100)
    source = open_unpaired(good, poor, 16, TASK)
    check_pairs(source)
    for place, collection in enumerate((source.good, source.poor)):
        seen = {member[place] for member in source.members}
        splits = {row.split for row in source.rows}
        assert seen == {i for i, row in enumerate(collection.rows) if row.split in splits}
    for row, (first, second) in zip(source.rows, source.members, strict=True):
        assert row.split == source.good.rows[first].split == source.poor.rows[second].split
        assert row.key == f"{source.good.rows[first].key} beside {source.poor.rows[second].key}"
    assert len({row.key for row in source.rows}) == len(source.rows)
    assert {"train", "val"} <= {row.split for row in source.rows}
    assert not source.knows_lungs


def test_images_are_cut_to_their_central_square(tmp_path: Path) -> None:
    wide = np.full((8, 24), 255, np.uint8)
    wide[:, 8:16] = np.arange(64).reshape(8, 8)
    (tmp_path / "good").mkdir()
    for number in range(4):
        cv2.imwrite(str(tmp_path / "good" / f"{number}.png"), wide + number % 2)
    poor = write_images(tmp_path / "poor", 4)
    source = open_unpaired(tmp_path / "good", poor, 8, TASK)
    pair = source.read(0)
    assert pair.image.shape == pair.target.shape == (8, 8)
    assert pair.image[0, 0] == 0
    assert pair.image[-1, -1] == 1
    assert (np.diff(pair.image.ravel()) >= 0).all()
    assert pair.clean is pair.target


def test_the_images_of_a_collection_decide_the_fingerprint(tmp_path: Path) -> None:
    good, poor = write_images(tmp_path / "good", 6), write_images(tmp_path / "poor", 6, 50)
    before = open_unpaired(good, poor, 16, TASK).fingerprint()
    assert open_unpaired(good, poor, 16, TASK).fingerprint() == before
    assert open_unpaired(poor, good, 16, TASK).fingerprint() != before
    write_radiograph(poor / "image050.png", 999)
    assert open_unpaired(good, poor, 16, TASK).fingerprint() != before


def test_a_table_says_whose_an_image_is(tmp_path: Path) -> None:
    write_images(tmp_path / "images", 8)
    lines = ["file,patient_id,split"]
    for number in range(8):
        split = ("train", "val")[number // 4]
        lines.append(f"images/image{number:03d}.png,p{number // 2},{split}")
    table = tmp_path / "good.csv"
    table.write_text("\n".join(lines) + "\n")
    source = open_unpaired(table, write_images(tmp_path / "poor", 12, 50), 16, TASK)
    assert [row.patient_id for row in source.good.rows] == [f"p{n // 2}" for n in range(8)]
    assert [row.split for row in source.good.rows] == ["train"] * 4 + ["val"] * 4
    assert indices_in(source, "train")


@pytest.mark.parametrize(
    ("data", "targets", "words"),
    [
        ("good", None, "--data with good radiographs and --targets"),
        ("good", "missing", "there is no .*missing"),
        ("good", "good", "--data and --targets are both"),
        ("note.txt", "good", "holds no collection of images"),
        ("empty.csv", "good", "has no column of files: found the columns 'a', 'b'"),
    ],
)
def test_what_is_no_pair_of_collections_is_refused(
    tmp_path: Path, data: str, targets: str | None, words: str
) -> None:
    write_images(tmp_path / "good", 4)
    (tmp_path / "note.txt").write_text("no image")
    (tmp_path / "empty.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match=words):
        open_unpaired(tmp_path / data, None if targets is None else tmp_path / targets, 16, TASK)


@pytest.mark.parametrize("few", ["--data", "--targets"])
def test_a_collection_of_too_few_patients_is_named(tmp_path: Path, few: str) -> None:
    counts = {"--data": 4, "--targets": 4} | {few: 1}
    data, targets = (write_images(tmp_path / name, n, len(name)) for name, n in counts.items())
    with pytest.raises(
        UsageError, match=f"^{few} {tmp_path / few} has no image in the group 'val'"
    ):
        open_unpaired(data, targets, 16, TASK)


def test_a_collection_in_a_folder_of_the_other_is_refused(tmp_path: Path) -> None:
    good = write_images(tmp_path / "good", 4)
    poor = write_images(good / "poor", 4, 50)
    words = r"4 files are both in --data and in --targets, the first of them image050\.png; "
    with pytest.raises(UsageError, match=words):
        open_unpaired(good, poor, 16, TASK)


def test_warnings_say_of_which_collection_they_are(tmp_path: Path) -> None:
    good, poor = write_images(tmp_path / "good", 3), write_images(tmp_path / "poor", 3, 50)
    said = open_unpaired(good, poor, 16, TASK).warnings
    assert {line.partition(": ")[0] for line in said} == {f"--data {good}", f"--targets {poor}"}


def test_values_in_a_unit_are_no_grey_values(tmp_path: Path) -> None:
    good = write_images(tmp_path / "good", 4)
    with pytest.raises(UsageError, match="are values in 1/m; expected a task such as restoration"):
        open_unpaired(good, tmp_path, 16, task_named("dark-field-ct"))


def test_an_image_without_contrast_is_named(tmp_path: Path) -> None:
    good, poor = write_images(tmp_path / "good", 6), write_images(tmp_path / "poor", 6, 50)
    cv2.imwrite(str(poor / "flat.png"), np.full((20, 20), 7, np.uint8))
    with pytest.raises(UsageError, match=r"image flat\.png"):
        check_pairs(open_unpaired(good, poor, 16, TASK))
