"""Tables of text beside files, as people write them."""

from pathlib import Path

import pytest

from dfsynth.errors import UsageError
from dfsynth.files.text_table import read_text_table


def test_a_table_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'\xef\xbb\xbffile,license\r\n a.png ,CC0\r\n"b,c.png"\r\nd,e,more\r\n')
    table = read_text_table(path)
    assert table is not None
    assert table.columns == ("file", "license")
    assert table.rows == [
        {"file": "a.png", "license": "CC0"},
        {"file": "b,c.png", "license": ""},
        {"file": "d", "license": "e"},
    ]


def test_no_table_and_an_empty_one_are_told_apart(tmp_path: Path) -> None:
    assert read_text_table(tmp_path / "t.csv") is None
    (tmp_path / "t.csv").touch()
    table = read_text_table(tmp_path / "t.csv")
    assert table is not None
    assert (table.columns, table.rows) == ((), [])


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"file,license\nx,\xff\xfe\n")
    with pytest.raises(UsageError, match="no readable table of text"):
        read_text_table(path)
