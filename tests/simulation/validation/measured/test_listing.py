"""Finding and reading the tables and pixels of measured scans."""

from pathlib import Path

import numpy as np
import pytest
from measured_scans import write_listing, write_lobes

from dfsynth.errors import UsageError
from dfsynth.simulation.validation.measured.listing import find_listings, read_pixels


def one_line(caught: "pytest.ExceptionInfo[UsageError]") -> str:
    text = str(caught.value)
    assert "\n" not in text
    assert "expected" in text
    return text


@pytest.mark.parametrize("kind", ["absent", "file", "empty", "other"])
def test_a_folder_without_measured_scans_is_one_clear_line(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "scans"
    if kind == "file":
        folder.write_text("x")
    elif kind != "absent":
        folder.mkdir()
    if kind == "other":
        (folder / "table.csv").write_text("a,b\n1,2\n")
        (folder / "deeper").mkdir()
    with pytest.raises(UsageError, match=f"--measured {folder}") as caught:
        find_listings(folder)
    one_line(caught)


def test_checkouts_beside_each_other_are_all_found(tmp_path: Path) -> None:
    write_lobes(tmp_path / "lobes")
    write_listing(tmp_path / "spheres/source/data/reconstructed.csv", [{"size": 1, "csv": "a"}])
    write_listing(tmp_path / "spheres/data/build_summary.csv", [{"particle_size": 1}])
    found = find_listings(tmp_path)
    assert [listing.path.relative_to(tmp_path).as_posix() for listing in found] == [
        "lobes/reconstructed.csv",
        "spheres/source/data/reconstructed.csv",
        "spheres/data/build_summary.csv",
    ]
    assert found[1].root == tmp_path / "spheres"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "lists no scan"),
        (b"name,csv\n", "lists no scan"),
        (b"name,csv\nKO202\n", "line 2: expected 2 values"),
        (b"name,csv\nKO202,a,b\n", "line 2: expected 2 values"),
        (b"name,csv\n\xff\xfe,a\n", "cannot read the table"),
        (b'name,csv\n"KO202,a\n', "cannot read the table"),
    ],
)
def test_a_malformed_table_is_one_clear_line(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "reconstructed.csv").write_bytes(content)
    with pytest.raises(UsageError, match=expected) as caught:
        find_listings(tmp_path)
    assert str(tmp_path / "reconstructed.csv") in one_line(caught)


def test_pixels_are_read_by_the_names_of_their_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("row,pixel,B,R,A,v\n0,0,0.5,1,0.9,0.1\n0,1,1.5,2,0.8,0.1\n")
    found = read_pixels(path)
    assert found.transmission.tolist() == [0.9, 0.8]
    assert found.visibility.tolist() == [0.5, 1.5]
    assert found.signal_over_attenuation() == pytest.approx(np.log(0.75) / np.log(0.72))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("A,B\n0.9,-0.1\n0.9,0.4\n", r"line 2: visibility B is -0\.1 \(1 such pixels\)"),
        ("A,B\n0.9,0.4\n0.9,0\n0.9,0\n", r"line 3: visibility B is 0 \(2 such pixels\)"),
        ("A,B\n0,0.4\n", "line 2: transmission A is 0"),
        ("A,B\n0.9,nan\n", "line 2: visibility B is nan"),
        ("A,B\n0.9,\n", "line 2: visibility B is nan"),
        ("A,B\ninf,0.4\n", "line 2: transmission A is inf"),
        ("A,B\n0.9,much\n", "cannot read the pixels"),
        ("A,B\n0.9\n", "cannot read the pixels"),
        ("A,P\n0.9,0.4\n", "cannot read the pixels"),
        ("A,B\n", "holds no pixel"),
        ("", "cannot read the pixels"),
    ],
)
def test_malformed_pixels_are_one_clear_line(tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(UsageError, match=expected) as caught:
        read_pixels(path)
    assert str(path) in one_line(caught)


def test_a_sample_that_attenuates_nothing_has_no_ratio(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("A,B\n1.1,0.5\n1.0,0.5\n")
    with pytest.raises(UsageError, match="pass as much as air") as caught:
        read_pixels(path).signal_over_attenuation()
    one_line(caught)
