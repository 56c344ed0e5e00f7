from dataclasses import fields

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from traced_memory import peak_bytes

import dfsynth.source
from dfsynth.records import SourceItem
from dfsynth.source import LISTING_SCHEMA
from dfsynth.source.schema import CHUNK_ROWS, ListingBuilder, text_column


def test_all_names_are_there() -> None:
    assert all(hasattr(dfsynth.source, name) for name in dfsynth.source.__all__)


def test_schema_is_source_item_without_row_and_shard() -> None:
    names = [field.name for field in fields(SourceItem)]
    assert sorted(LISTING_SCHEMA.names) == sorted(set(names) - {"row", "shard"})
    required = {f.name for f in LISTING_SCHEMA if not f.nullable}
    assert required == {"image_id", "uri"}


def test_builder_gathers_small_runs_into_whole_chunks() -> None:
    builder = ListingBuilder()
    paths = [f"{i:07d}.png" for i in range(CHUNK_ROWS + 10)]
    for start in range(0, len(paths), 1000):
        builder.add_paths(paths[start : start + 1000])
    table = builder.rows().table()
    assert table.column("image_id").to_pylist() == paths
    assert [len(chunk) for chunk in table.column("uri").chunks] == [CHUNK_ROWS, 10]
    assert table.schema == LISTING_SCHEMA


def test_unknown_columns_take_next_to_no_memory() -> None:
    names = pa.array(["x.png"] * CHUNK_ROWS)

    def build() -> None:
        builder = ListingBuilder()
        for _ in range(20):
            builder.add({"image_id": names, "uri": names})
        assert builder.rows().num_rows == 20 * CHUNK_ROWS

    assert peak_bytes(build) < 20 * names.nbytes


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=9)))
def test_text_column_is_what_arrow_makes(texts: list[str]) -> None:
    column = text_column(texts)
    column.validate(full=True)
    assert column.equals(pa.array(texts, pa.string()))
