#!/usr/bin/env bash
# pyarrow: asked for the rows whose value is in a list with 0, it leaves out every row group in
# which all values are 0.
#
# Versions: PyArrow 26.0.1, pandas 3.1.1, polars 2.1.0, DuckDB 2.0.0, numpy 2.4.6.
#
# Input: six images with a label 0, 1, 0, 0, 0, 0 in float64 (a number, so that NaN can say
# unknown), in a Parquet file with row groups of three images, written by pyarrow and by polars. By
# DuckDB, whose row groups are larger, 4096 images in two of them, of which the second has nothing
# but 0 as well.
#
# Expected: filters=[("label", "in", [0.0, 1.0])] is documented to give the rows that match, and a
# dataset to skip by their statistics those row groups in which no row can match. All of them match,
# as they do with the same expression on a table in memory, with "==" for each number, and in polars
# and DuckDB.
#
# Seen: the three rows of the second row group are left out. Parquet asks writers to state a
# smallest value of 0 as -0.0 in the statistics. pyarrow takes a smallest value that equals the
# largest for the value of all rows, and its list, unlike "==", keeps 0.0 and -0.0 apart. pandas
# asks pyarrow, and a dataset counts as it reads. "not in" does not give the rows either: they are
# in neither half. With a null or another value in the row group, or with integers, the rows are
# found; NaN does not help. pyarrow and polars write -0.0; DuckDB writes 0.0, and its file is read
# rightly.
#
# Output: as stated: of six images with a label in [0, 1], pyarrow and pandas find 3 in the files of
# pyarrow and polars, and none outside the list; they find all by ==, and in the file of DuckDB, as
# polars and DuckDB do in each
#
# Why it matters: "in [0, 1]" is how images are chosen whose label is known. Tables sorted by label,
# patient, site or split, and findings that are rare, have row groups of nothing but 0: healthy
# patients are what is lost, and prevalence, pos_weight and specificity come from what is left.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check \
    pyarrow==26.0.1 pandas==3.1.1 polars==2.1.0 duckdb==2.0.0 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys

import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

LISTED = [0.0, 1.0]
NAN = float("nan")
label = ds.field("label")


def write(values, kind=None):
    table = pa.table({"label": pa.array(values, kind or pa.float64())})
    pq.write_table(table, "pyarrow.parquet", row_group_size=3)
    return table


def by_pyarrow(path, condition="in"):
    return pq.read_table(path, filters=[("label", condition, LISTED)]).num_rows


def statistics(path):
    second = pq.ParquetFile(path).metadata.row_group(1).column(0).statistics
    return f"{second.min} {second.max}"


images = write([0, 1, 0, 0, 0, 0])
polars.from_arrow(images).write_parquet("polars.parquet", row_group_size=3)
duckdb.sql(
    "copy (select (i = 1)::double as label from range(4096) t(i) order by i) "
    "to 'duckdb.parquet' (row_group_size 2048)"
)
for writer, rows, found, smallest in (
    ("pyarrow", 6, 3, "-0.0 0.0"),
    ("polars", 6, 3, "-0.0 0.0"),
    ("duckdb", 4096, 4096, "0.0 0.0"),
):
    path = f"{writer}.parquet"
    counts = {
        "filters": by_pyarrow(path),
        "count_rows": ds.dataset(path).count_rows(filter=label.isin(LISTED)),
        "pandas": len(pandas.read_parquet(path, filters=[("label", "in", LISTED)])),
    }
    if set(counts.values()) != {found} or statistics(path) != smallest:
        sys.exit(f"changed: the file of {writer}, {statistics(path)}, {counts} of {rows}")
    right = {
        "in memory": pq.read_table(path).filter(label.isin(LISTED)).num_rows,
        "==": pq.read_table(path, filters=(label == 0) | (label == 1)).num_rows,
        "polars": polars.scan_parquet(path)
        .filter(polars.col("label").is_in(LISTED))
        .collect()
        .height,
        "DuckDB": len(duckdb.sql(f"select * from '{path}' where label in (0, 1)").fetchall()),
    }
    if set(right.values()) != {rows} or by_pyarrow(path, "not in"):
        sys.exit(f"changed: the file of {writer}, {right} of {rows}")

seen = {}
for name, values, kind in (
    ("float32", [0, 1, 0, 0, 0, 0], pa.float32()),
    ("NaN", [0, 1, 0, 0, NAN, 0], None),
    ("null", [0, 1, 0, 0, None, 0], None),
    ("another value", [0, 1, 0, 0, 0.5, 0], None),
    ("integers", [0, 1, 0, 0, 0, 0], pa.int64()),
):
    write(values, kind)
    seen[name] = by_pyarrow("pyarrow.parquet")
if seen != {"float32": 3, "NaN": 3, "null": 5, "another value": 5, "integers": 6}:
    sys.exit(f"changed: {seen}")
print(
    "as stated: of six images with a label in [0, 1], pyarrow and pandas find 3 in the files of "
    "pyarrow and polars, and none outside the list; they find all by ==, and in the file of "
    "DuckDB, as polars and DuckDB do in each"
)
PYTHON
