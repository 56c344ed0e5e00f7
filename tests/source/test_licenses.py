"""The licences of a folder's files."""

from pathlib import Path

import pytest

from dfsynth.errors import UsageError
from dfsynth.source.licenses import LICENSES, UNKNOWN_LICENSE, read_licenses


def test_licences_stand_beside_their_files(tmp_path: Path) -> None:
    table = tmp_path / LICENSES
    table.write_text("note,file,license\n,a.png, CC BY 4.0\n,sub/b.png,\n", encoding="utf-8-sig")
    assert read_licenses(table) == {"a.png": "CC BY 4.0", "sub/b.png": UNKNOWN_LICENSE}


def test_no_table_is_no_licence(tmp_path: Path) -> None:
    assert read_licenses(tmp_path / LICENSES) == {}


@pytest.mark.parametrize("content", [b"name,terms\na,b\n", b"", b"file,license\n\xff\xfe,x\n"])
def test_what_is_no_such_table_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LICENSES).write_bytes(content)
    with pytest.raises(UsageError, match=r"licenses\.csv"):
        read_licenses(tmp_path / LICENSES)
