"""Parquet files that show any change of a byte, and that other programs read as they read any."""

import io

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dfsynth.files.parquet_checksum import CHECKSUM_KEY, checksummed_writer, is_unchanged

TABLE = pa.table(
    {
        "row": pa.array(range(40), pa.int64()),
        # Statistics in the footer hold what a column holds, and that is anybody's.
        "name": [CHECKSUM_KEY.decode() + "\x18 " + "0" * 32, *[f"image{n}" for n in range(39)]],
        "score": pa.array([n / 7 if n % 5 else None for n in range(40)], pa.float32()),
    }
)


def written(table: pa.Table = TABLE) -> bytes:
    stream = io.BytesIO()
    with checksummed_writer(stream, table.schema, compression="zstd") as writer:
        writer.write_table(table.slice(0, 25))
        writer.write_table(table.slice(25))
    return stream.getvalue()


def test_what_was_written_is_unchanged_and_the_same_each_time():
    data = written()
    assert is_unchanged(io.BytesIO(data)) is True
    assert written() == data


def test_the_stream_stays_open_at_its_end():
    stream = io.BytesIO()
    with checksummed_writer(stream, TABLE.schema) as writer:
        writer.write_table(TABLE)
    assert stream.tell() == len(stream.getvalue())


def test_every_changed_bit_is_found_but_where_the_checksum_has_no_name():
    data = written()
    unnamed = 0
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        found = is_unchanged(io.BytesIO(changed))
        assert found is not True, bit
        unnamed += found is None
    # Name, kind and length of the value; the footer's length, and the four bytes at its end.
    assert unnamed <= 8 * (len(CHECKSUM_KEY) + 2 + 4 + 4)


@pytest.mark.parametrize("keep", [0, 3, 8, 100, -1])
def test_a_truncated_file_is_never_unchanged(keep):
    assert is_unchanged(io.BytesIO(written()[:keep])) is not True


def test_a_file_of_another_program_holds_no_checksum():
    stream = io.BytesIO()
    pq.write_table(TABLE.slice(1), stream)
    assert is_unchanged(stream) is None


def test_page_checksums_are_there_to_verify():
    data = bytearray(written())
    at = data.index(b"(\xb5/\xfd")  # the first page's zstd frame
    data[at + 12] ^= 4
    with pytest.raises(OSError, match="CRC checksum"):
        pq.read_table(io.BytesIO(data), page_checksum_verification=True)


def test_other_programs_read_the_table(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_bytes(written())
    assert pq.read_table(path).equals(TABLE)
    found = duckdb.connect().execute("select count(*) from read_parquet(?)", [str(path)])
    assert found.fetchone() == (40,)
