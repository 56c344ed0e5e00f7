"""WebDataset tars: an image and its facts are members of one key."""

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from dfsynth.errors import UsageError
from dfsynth.source import open_source

LIMIT = 1 << 20
Content: TypeAlias = bytes | str | dict[str, Any]


def write_tar(path: Path, files: Mapping[str, Content]) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as tar:
        for name, content in files.items():
            text = json.dumps(content) if isinstance(content, dict) else content
            data = text.encode() if isinstance(text, str) else text
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def rows(spec: object) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in line.items() if value is not None}
        for line in open_source(str(spec), None).listing().table.drop_columns(["uri"]).to_pylist()
    ]


def places(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in line.items() if k not in ("offset", "size_bytes")} for line in lines]


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz"])
def test_facts_come_from_the_members_of_the_key(tmp_path, name) -> None:
    path = write_tar(
        tmp_path / name,
        {
            "a/000.png": b"1",
            "a/000.json": {
                "Patient ID": 17,
                "sex": "F",
                "age": "061Y",
                "findings": ["Effusion", "Mass"],
                "width_mm": 350.5,
                "report": "not read",
            },
            "a/000.cls": "3",
            "a/001.dcm": b"2",
            "a/001.cls": "Pneumonia\n",
            "a/002.seg.jpg": b"3",
            "a/002.json": {"split": "test", "findings": "Nodule|Fibrosis", "patient_id": None},
            "a/003.jpg": b"4",
        },
    )
    assert places(rows(path)) == [
        {
            "image_id": "a/000.png",
            "patient_id": "17",
            "sex": "F",
            "age": 61.0,
            "findings": ["Effusion", "Mass"],
            "width_mm": 350.5,
        },
        {"image_id": "a/001.dcm", "findings": ["Pneumonia"]},
        {"image_id": "a/002.seg.jpg", "split": "test", "findings": ["Nodule", "Fibrosis"]},
        {"image_id": "a/003.jpg"},
    ]
    assert open_source(str(path), None).listing().excluded == {"facts_of_an_image": 4}


def test_what_is_no_description_is_left_out_with_a_word(tmp_path) -> None:
    path = write_tar(
        tmp_path / "x.tar",
        {
            "a.png": b"1",
            "a.json": "[1, 2]",
            "b.png": b"2",
            "b.json": "{",
            "c.png": b"3",
            "c.cls": b"\xff\xfe",
            "d.png": b"3",
            "d.json": {"age": "old", "sex": True},
            "index.json": {"images": 4},
        },
    )
    listing = open_source(str(path), None).listing()
    assert [line["image_id"] for line in listing.table.to_pylist()] == [f"{n}.png" for n in "abcd"]
    assert listing.table["sex"].null_count == listing.table["age"].null_count == 4
    assert listing.excluded == {"facts_of_an_image": 4, "not_an_image_suffix:.json": 1}
    assert any(w.startswith("3 members .json or .cls not read") for w in listing.warnings)
    assert any(w.startswith("1 value of age is not an age") for w in listing.warnings)


@pytest.mark.parametrize("spec", ["cxr-{train,val}-{000..001}.tar", "cxr-*.tar", ""])
def test_many_shards_are_one_source(tmp_path, spec, items_of) -> None:
    for split in ("train", "val"):
        for number in range(2):
            write_tar(
                tmp_path / f"cxr-{split}-00{number}.tar",
                {"000.png": f"{split}{number}".encode(), "000.json": {"patient_id": number}},
            )
    source = open_source(str(tmp_path / spec), None)
    listing = source.listing()
    names = [f"cxr-{split}-00{n}.tar" for split in ("train", "val") for n in range(2)]
    lines = listing.table.to_pylist()
    assert [line["image_id"] for line in lines] == [f"{name}/000.png" for name in names]
    assert [line["split"] for line in lines] == ["train", "train", "validation", "validation"]
    assert [line["patient_id"] for line in lines] == ["0", "1", "0", "1"]
    assert listing.excluded == {"facts_of_an_image": 4}
    again = open_source(str(tmp_path / spec), None)
    assert [again.read(item, LIMIT) for item in items_of(listing)] == [
        b"train0",
        b"train1",
        b"val0",
        b"val1",
    ]


def test_a_shard_that_braces_name_must_be_there(tmp_path) -> None:
    write_tar(tmp_path / "x-00.tar", {"a.png": b"1"})
    with pytest.raises(UsageError, match=r"not in .*: 2 of 3 files named .* first .* x-01\.tar"):
        open_source(str(tmp_path / "x-{00..02}.tar"), None).listing()
