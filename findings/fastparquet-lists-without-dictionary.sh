#!/usr/bin/env bash
# fastparquet: a column of lists that has no dictionary is read as null in silence.
#
# Version: fastparquet 2026.9.0. Beside it: pyarrow 26.0.1, DuckDB 2.0.0.
#
# Input: a table of two radiographs and their findings, a list of texts each, written by pyarrow with
# use_dictionary=False: a standard encoding that DuckDB, polars and pyarrow read.
#
# Expected: the lists, or an error. The library reads columns of lists, and encodings that it does
# not know it should refuse.
#
# Seen: where the first list has two entries, both rows are null. The same table with a dictionary
# is read rightly.
#
# Output: as stated: [['Mass', 'Nodule'], ['Mass']] is read as [None, None] without a dictionary, and
# as it is with one
#
# Why it matters: labels of a data set become "none known" for whoever loads the same file with
# pandas and engine="fastparquet": a cohort without findings, and no error.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check fastparquet==2026.9.0 \
    pyarrow==26.0.1 duckdb==2.0.0
venv/bin/python - <<'PYTHON'
import sys

import duckdb
import fastparquet
import pyarrow
import pyarrow.parquet

findings = [["Mass", "Nodule"], ["Mass"]]
table = pyarrow.table({"image": ["a", "b"], "findings": findings})
for dictionary, name in ((False, "plain.parquet"), (True, "dictionary.parquet")):
    pyarrow.parquet.write_table(table, name, use_dictionary=dictionary)
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT findings FROM '{name}' ORDER BY image").fetchall()
    if [list(row[0]) for row in rows] != findings:
        sys.exit(f"changed: DuckDB reads {rows} of {name}")


def by_fastparquet(name):
    column = fastparquet.ParquetFile(name).to_pandas()["findings"]
    return [list(value) if isinstance(value, list) else value for value in column]


if by_fastparquet("dictionary.parquet") != findings:
    sys.exit(f"changed: with a dictionary {by_fastparquet('dictionary.parquet')}")
if by_fastparquet("plain.parquet") != [None, None]:
    sys.exit(f"changed: without a dictionary {by_fastparquet('plain.parquet')}")
print(
    f"as stated: {findings} is read as [None, None] without a dictionary, and as it is with one"
)
PYTHON
