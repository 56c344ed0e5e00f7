import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dfsynth.errors import DfsynthError, UsageError
from dfsynth.source import LISTING_SCHEMA, open_source
from dfsynth.source import metadata as metadata_module
from dfsynth.source.schema import CHUNK_ROWS


def write(path: Path, text: str, encoding: str = "utf-8") -> str:
    path.write_bytes(text.encode(encoding))
    return str(path)


def test_columns_in_the_order_of_the_rows(tmp_path, ids_of, items_of, real_png) -> None:
    for name in ("b.png", "a/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(real_png)
    spec = write(
        tmp_path / "t.csv",
        "Path,Image ID,Patient-ID,VIEW,sex,age,findings,split,width_mm,height_mm,note\n"
        "b.png,second,7,PA,F,058Y,Edema; Effusion,test,350.5,430,free text\n"
        "a/c.png,first,,AP,,414,No Finding,,,wide,\n",
    )
    source = open_source(spec, None)
    listing = source.listing()
    assert listing.table.schema == LISTING_SCHEMA
    assert listing.table.to_pylist() == [
        {
            "image_id": "second",
            "uri": "b.png",
            "offset": None,
            "size_bytes": None,
            "patient_id": "7",
            "view": "PA",
            "sex": "F",
            "age": 58.0,
            "findings": ["Edema", "Effusion"],
            "findings_negative": None,
            "findings_uncertain": None,
            "split": "test",
            "width_mm": 350.5,
            "height_mm": 430.0,
            "pixel_mm": None,
        },
        {
            "image_id": "first",
            "uri": "a/c.png",
            "offset": None,
            "size_bytes": None,
            "patient_id": None,
            "view": "AP",
            "sex": None,
            "age": None,
            "findings": ["No Finding"],
            "findings_negative": None,
            "findings_uncertain": None,
            "split": None,
            "width_mm": None,
            "height_mm": None,
            "pixel_mm": None,
        },
    ]
    assert [w.split(" is not")[0] for w in listing.warnings] == [
        "1 value of age",
        "1 value of height_mm",
    ]
    assert [source.read(item, 1 << 20) for item in items_of(listing)] == [real_png, real_png]
    assert (source.name, source.license) == ("table:t.csv", "unknown")


@pytest.mark.parametrize(
    "header",
    [
        *(
            "path",
            "FILE",
            "filename",
            "file_name",
            "File Name",
            "filepath",
            "FilePath",
            "file-path",
        ),
        *("image", "Image Path", "uri", "\ufeffpath"),
    ],
)
def test_names_of_the_path_column(tmp_path, ids_of, header) -> None:
    spec = write(tmp_path / "t.csv", f"x,{header}\n1,a.png\n2,b.png\n")
    if header.startswith("\ufeff"):
        spec = write(tmp_path / "t.csv", f"{header},x\na.png,1\nb.png,2\n")
    assert ids_of(open_source(spec, None).listing()) == ["a.png", "b.png"]


def test_no_path_column_names_what_was_found(tmp_path) -> None:
    spec = write(tmp_path / "t.csv", "name,years\nx,1\n")
    with pytest.raises(UsageError, match=r"found 'name', 'years'; expected one of path, file"):
        open_source(spec, None).listing()


@pytest.mark.parametrize("mark", [";", "\t"])
def test_other_delimiters(tmp_path, ids_of, mark) -> None:
    spec = write(tmp_path / "t.csv", f"path{mark}view\na.png{mark}PA\n")
    listing = open_source(spec, None).listing()
    assert ids_of(listing) == ["a.png"]
    assert listing.table.column("view").to_pylist() == ["PA"]


def test_every_row_is_an_input_whatever_its_name(tmp_path, ids_of) -> None:
    spec = write(tmp_path / "t.csv", "path\n.hidden.png\nnotes.txt\ngone.png\n")
    listing = open_source(spec, None).listing()
    assert ids_of(listing) == [".hidden.png", "notes.txt", "gone.png"]
    assert listing.excluded == {}


def test_paths_never_leave_the_root(tmp_path, ids_of) -> None:
    root = tmp_path / "root"
    root.mkdir()
    link = tmp_path / "link"
    link.symlink_to(root, target_is_directory=True)
    spec = write(
        tmp_path / "t.csv",
        "path,view\n"
        "a/./b//c.png,1\n"
        "a/../d.png,2\n"
        "../up.png,3\n"
        "a/../../up.png,4\n"
        f"{root}/e.png,5\n"
        f"{link}/f.png,6\n"
        f"{root}-other/g.png,7\n"
        "/etc/passwd,8\n"
        ",9\n"
        "..,10\n"
        "..odd.png,11\n",
    )
    listing = open_source(spec, link).listing()
    assert ids_of(listing) == ["a/b/c.png", "d.png", "e.png", "f.png", "..odd.png"]
    assert listing.table.column("view").to_pylist() == ["1", "2", "5", "6", "11"]
    assert listing.excluded == {"outside_root": 5, "no_path": 1}
    assert "5 paths of the table lead out of the root" in listing.warnings[0]


def test_only_paths_outside_ask_for_another_root(tmp_path) -> None:
    spec = write(tmp_path / "t.csv", "path\n/elsewhere/a.png\n")
    with pytest.raises(UsageError, match=r"no images.*every path leads out of the root.*--root"):
        open_source(spec, None).listing()


@pytest.mark.parametrize("text", ["path\n", "path", "path,view\n,PA\n"])
def test_a_table_without_images_is_reported(tmp_path, text) -> None:
    with pytest.raises(UsageError, match=r"no images in the table t\.csv"):
        open_source(write(tmp_path / "t.csv", text), None).listing()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("", "utf-8"),
        ("path,view\na.png\n", "utf-8"),
        ("path,view\na.png,PA,more\n", "utf-8"),
        ("path,view\nä.png,PA\n", "latin-1"),
        ("päth,view\na.png,PA\n", "latin-1"),
        ("path,path\na.png,b.png\n", "utf-8"),
    ],
)
def test_a_broken_table_is_reported(tmp_path, text, encoding) -> None:
    spec = write(tmp_path / "t.csv", text, encoding)
    with pytest.raises(UsageError, match=r"cannot read the table t\.csv.*expected"):
        open_source(spec, None).listing()


def test_quoted_fields_and_names_with_commas(tmp_path, ids_of) -> None:
    spec = write(tmp_path / "t.csv", 'view,"path"\n"PA","a, b.png"\n')
    assert ids_of(open_source(spec, None).listing()) == ["a, b.png"]


@pytest.mark.parametrize("header", ["path", "image_id"])
def test_repeated_ids_are_refused(tmp_path, header) -> None:
    text = f"{header},file\nx,1.png\ny,2.png\nx,3.png\n"
    with pytest.raises(UsageError, match=r"'x' \(2 times\)"):
        open_source(write(tmp_path / "t.csv", text), None).listing()


def test_rows_without_an_id_go_by_their_path(tmp_path, ids_of) -> None:
    spec = write(tmp_path / "t.csv", "path,image_id\na.png,one\nb.png,\n")
    assert ids_of(open_source(spec, None).listing()) == ["one", "b.png"]


def test_parquet_with_its_own_types(tmp_path, ids_of) -> None:
    table = pa.table(
        {
            "image": pa.array(["b.png", "a.png"], pa.large_string()),
            "patient_id": pa.array([12, None], pa.int64()),
            "age": pa.array([58.0, float("nan")]),
            "findings": pa.array([["Edema", "Effusion"], []]),
            "view": pa.array(["PA", "PA"]).dictionary_encode(),
            "width_mm": pa.array([350.0, None], pa.float32()),
            "payload": pa.array([{"x": 1}, {"x": 2}]),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    listing = open_source(str(tmp_path / "t.parquet"), None).listing()
    rows = listing.table.to_pylist()
    assert ids_of(listing) == ["b.png", "a.png"]
    assert [row["patient_id"] for row in rows] == ["12", None]
    assert [row["age"] for row in rows] == [58.0, None]
    assert [row["findings"] for row in rows] == [["Edema", "Effusion"], []]
    assert [row["view"] for row in rows] == ["PA", "PA"]
    assert [row["width_mm"] for row in rows] == [350.0, None]
    assert listing.warnings == ()


def test_parquet_columns_without_a_text_form_are_reported(tmp_path) -> None:
    table = pa.table({"path": ["a.png"], "view": pa.array([{"x": 1}])})
    pq.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(UsageError, match=r"cannot read the table t\.parquet"):
        open_source(str(tmp_path / "t.parquet"), None).listing()


def test_what_is_no_parquet_is_reported(tmp_path) -> None:
    spec = write(tmp_path / "t.parquet", "path\na.png\n")
    with pytest.raises(UsageError, match="expected a Parquet file"):
        open_source(spec, None).listing()


def test_the_root_is_where_paths_start(tmp_path, items_of, real_png) -> None:
    root = tmp_path / "elsewhere"
    root.mkdir()
    (root / "a.png").write_bytes(real_png)
    source = open_source(write(tmp_path / "t.csv", "path\na.png\n"), root)
    (item,) = items_of(source.listing())
    assert source.read(item, 1 << 20) == real_png
    (root / "a.png").unlink()
    root.rmdir()
    with pytest.raises(DfsynthError, match="is gone"):
        source.read(item, 1 << 20)


def test_many_rows_come_in_chunks_and_in_order(tmp_path, ids_of) -> None:
    rows = 200_000
    with (tmp_path / "t.csv").open("w") as file:
        file.write("path,patient_id\n")
        file.writelines(f"f/{rows - i:07d}.png,{i // 4}\n" for i in range(rows))
    listing = open_source(str(tmp_path / "t.csv"), None).listing()
    assert ids_of(listing) == [f"f/{rows - i:07d}.png" for i in range(rows)]
    assert max(len(chunk) for chunk in listing.table.column("uri").chunks) <= CHUNK_ROWS
    assert listing.table.column("patient_id")[-1].as_py() == str((rows - 1) // 4)


def test_large_batches_are_cut(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(metadata_module, "CHUNK_ROWS", 3)
    spec = write(tmp_path / "t.csv", "path\n" + "".join(f"{i}.png\n" for i in range(8)))
    listing = open_source(spec, None).listing()
    assert [len(chunk) for chunk in listing.table.column("uri").chunks] == [3, 3, 2]


def test_whole_paths_win_over_names_of_files(tmp_path, ids_of) -> None:
    for header in ("file_path", "filepath", "image_path"):
        spec = write(tmp_path / "t.csv", f"file_name,image,{header}\na.png,b.png,c/d.png\n")
        assert ids_of(open_source(spec, None).listing()) == ["c/d.png"]


def test_a_table_written_on_windows(tmp_path, ids_of) -> None:
    table = (
        "\ufeffImage_Path;Patient ID;Sex;Age;Findings;Width_mm\r\n"
        "images\\A 1.PNG;P1;F;58;No Finding;430\r\n"
        "images\\b.Png ;P2;M;006M;Effusion|Mass;350\r\n"
        "images\\c.png;P3;;;;\r\n"
        "C:\\images\\d.png;P4;;;;\r\n"
        "\\\\server\\images\\e.png;P5;;;;\r\n"
    )
    listing = open_source(write(tmp_path / "t.csv", table), None).listing()
    assert ids_of(listing) == ["images/A 1.PNG", "images/b.Png", "images/c.png"]
    assert listing.table.column("patient_id").to_pylist() == ["P1", "P2", "P3"]
    assert listing.excluded == {"outside_root": 2}


@pytest.mark.parametrize("packed", [True, False])
def test_line_breaks_in_values(tmp_path, ids_of, packed) -> None:
    """Of a table larger than the blocks that it is read in."""
    report = '"' + "line of a report,\n" * 20 + 'and ""quotes"""'
    rows = "".join(f"img/{n:05d}.png,{report},PA\n" for n in range(40_000))
    content = f'path,"the\nreport",view\n{rows}'.encode()
    path = tmp_path / ("t.csv.gz" if packed else "t.csv")
    path.write_bytes(gzip.compress(content, 1) if packed else content)
    listing = open_source(str(path), None).listing()
    assert ids_of(listing) == [f"img/{n:05d}.png" for n in range(40_000)]
    assert set(listing.table.column("view").to_pylist()) == {"PA"}


@pytest.mark.parametrize("name", ["t.tsv", "t.tsv.gz", "T.CSV.GZ"])
def test_packed_tables_and_tabs(tmp_path, ids_of, name) -> None:
    mark = "," if "CSV" in name else "\t"
    content = f"path{mark}view, side\na;b.png{mark}PA\n".encode()
    if mark == ",":
        content = b"path,view\na;b.png,PA\n"
    (tmp_path / name).write_bytes(gzip.compress(content) if name.lower()[-1] == "z" else content)
    listing = open_source(str(tmp_path / name), None).listing()
    assert ids_of(listing) == ["a;b.png"]


@pytest.mark.parametrize(
    "content", [b"no gzip", gzip.compress(b"path,view\na.png,PA\n" * 99, mtime=0)[:-9]]
)
def test_a_damaged_packed_table_is_reported(tmp_path, content) -> None:
    (tmp_path / "t.csv.gz").write_bytes(content)
    with pytest.raises(UsageError, match=r"cannot read the table t\.csv\.gz"):
        open_source(str(tmp_path / "t.csv.gz"), None).listing()
