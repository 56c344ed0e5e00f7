#!/usr/bin/env bash
# One threshold over a float32 column of a Parquet file keeps a value that equals it in DuckDB,
# pandas and polars, and drops it in PyArrow, and in DuckDB where the number is a parameter.
#
# Versions: DuckDB 2.0.0, pandas 3.1.1, polars 2.1.0, PyArrow 26.0.1, numpy 2.4.6.
#
# Input: scores 0.1, 0.2 and 0.3 as float32, and the filter "score <= 0.1".
#
# Expected: that every reader of the file keeps the same images; at least, that DuckDB does so for
# one number however it is written.
#
# Seen: 0.1 as float32 lies above 0.1 as float64. Who rounds the threshold to float32 first keeps
# the image: DuckDB for the literal 0.1, a DECIMAL to it, polars and pandas. Who widens the column
# drops it: PyArrow, and DuckDB for 1e-1, for a parameter from Python and for 0.1::DOUBLE. So the
# parameter that guards against injection selects other rows than the text that it replaced.
#
# Output: as stated: of a score of 0.1 and the filter <= 0.1, kept by DuckDB (literal), pandas,
# polars, dropped by DuckDB (exponent), DuckDB (parameter), PyArrow
#
# Why it matters: scores of networks are float32, and thresholds are often one of the scores, such
# as a percentile: exactly the images at the threshold come and go with the tool. A split chosen
# with one tool and counted with another differs by them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check \
    duckdb==2.0.0 pandas==3.1.1 polars==2.1.0 pyarrow==26.0.1 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import sys

import duckdb
import numpy as np
import pandas
import polars
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
import pyarrow.parquet

table = pa.table({"score": np.array([0.1, 0.2, 0.3], np.float32)})
pa.parquet.write_table(table, "scores.parquet")


def sql(number, *parameters):
    query = f"select count(*) from 'scores.parquet' where score <= {number}"
    return duckdb.execute(query, list(parameters)).fetchall()[0][0]


kept = {
    "DuckDB (literal)": sql("0.1"),
    "pandas": int((pandas.read_parquet("scores.parquet")["score"] <= 0.1).sum()),
    "polars": polars.read_parquet("scores.parquet").filter(polars.col("score") <= 0.1).height,
    "DuckDB (exponent)": sql("1e-1"),
    "DuckDB (parameter)": sql("?", 0.1),
    "PyArrow": pa.dataset.dataset("scores.parquet").count_rows(filter=pc.field("score") <= 0.1),
}
if list(kept.values()) != [1, 1, 1, 0, 0, 0]:
    sys.exit(f"changed: images kept are {kept}")
names = list(kept)
print(
    f"as stated: of a score of 0.1 and the filter <= 0.1, kept by {', '.join(names[:3])}, "
    f"dropped by {', '.join(names[3:])}"
)
PYTHON
