"""A Parquet table whose text or names of columns are no UTF-8 is named, in one line."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dfsynth.errors import UsageError
from dfsynth.source import open_source


@pytest.mark.parametrize("old", [b"image0", b"note_of"])
def test_text_that_is_no_utf_8_is_named(tmp_path, old):
    table = pa.table({"image_id": ["image0"], "path": ["x.png"], "note_of": ["x"]})
    path = tmp_path / "x.parquet"
    pq.write_table(table, path, compression="none", store_schema=False, use_dictionary=False)
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, b"\xe0" + old[1:]))
    with pytest.raises(UsageError, match=r"x\.parquet"):
        open_source(str(path), None).listing()
