"""Predicates: what a user may ask, and that nothing else can be reached through one."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfsynth.errors import UsageError
from dfsynth.manifest import IMAGES
from dfsynth.manifest.predicate import connect_isolated, matching_positions
from dfsynth.manifest.vocabulary import FUNCTIONS, check_calls

TABLE = pa.table(
    {
        "row": pa.array([2, 5, 7, 11], pa.int64()),
        "age": pa.array([40.0, None, 61.5, 12.0], pa.float32()),
        "view": pa.array(["PA", "AP", None, "PA"]),
        "patient_id": pa.array(["anna-7", "b", "c", "d"]),
        "findings": pa.array([["Mass"], None, [], ["Effusion", "Mass"]]),
        "uncertainty": pa.array([0.1, 0.2, 0.3, None], pa.float32()),
    }
)


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        ("uncertainty < 0.25", [0, 1]),
        ("row > 5", [2, 3]),
        ("view = 'PA' AND age BETWEEN 20 AND 50", [0]),
        ("view IS NULL OR not (age > 20)", [2, 3]),
        ("list_contains(findings, 'Mass')", [0, 3]),
        ("'Effusion' IN findings", [3]),
        ("len(findings) = 0", [2]),
        ("UNCERTAINTY >= 0.2 -- the upper half", [1, 2]),
        ("age > 30 /* years */ and \"view\" = 'PA'", [0]),
        ("patient_id like 'anna%'", [0]),
        ("view = 'x; DROP TABLE manifest'", []),
        ("true", [0, 1, 2, 3]),
        ("row in (2,\n 11)", [0, 3]),
    ],
)
def test_positions_of_the_rows_that_pass(predicate: str, expected: list[int]) -> None:
    assert matching_positions(TABLE, predicate).tolist() == expected


@pytest.mark.parametrize(
    "predicate",
    [
        "1=1; DROP VIEW manifest",
        "1=1) UNION SELECT (1",
        "1=1) AS passed, (2=2",
        "1=1), CHECK (2=2",
        "1=1 UNION ALL SELECT 1=1",
        "1=1 FROM manifest",
        "1=1 LIMIT 1",
        "1=1, 2=2",
        "1=1 /*",
        "uncertainty <",
        "*",
        "COLUMNS(*) IS NOT NULL",
        "age > $1",
        "age > ?",
        "age < (SELECT max(age) FROM manifest)",
        "age < (SELECT 3)",
        "row IN (SELECT 2)",
        "row IN (VALUES (2))",
        "row IN (FROM manifest)",
        "'x' = ANY(findings)",
        "EXISTS (FROM duckdb_settings())",
        "avg(age) > 1",
        "row_number() OVER () < 2",
        "getenv('HOME') <> ''",
        "current_setting('memory_limit') <> ''",
        "len(range(2000000000)) > 0",
        'len("repeat"(view, 2000000000)) > 0',
        "len(view.repeat(2000000000)) > 0",
        "len(repeat /* */ (view, 2000000000)) > 0",
        "[x for x in findings] = ['Mass']",
        "sqrt(view) > 1",
        "findings.name = 'x'",
        "age",
        "NULL",
        "",
        "  \n ",
        "--",
    ],
)
def test_anything_but_one_condition_is_refused_in_one_line(predicate: str) -> None:
    with pytest.raises(UsageError) as refused:
        matching_positions(TABLE, predicate)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_status == 2


@pytest.mark.parametrize(
    "predicate",
    [
        "(SELECT count(*) FROM read_csv('{file}')) > 0",
        "(FROM '{file}') IS NOT NULL",
        "row IN (FROM read_csv('{file}'))",
        "row IN (FROM '{file}')",
        "(SELECT 1 FROM read_text('{file}')) > 0",
    ],
)
def test_files_cannot_be_read(predicate: str, tmp_path: Path) -> None:
    file = tmp_path / "secret.csv"
    file.write_text("row\n2\n")
    with pytest.raises(UsageError) as refused:
        matching_positions(TABLE, predicate.format(file=file))
    assert "secret" not in str(refused.value).replace(str(file), "")


def test_an_isolated_connection_reaches_nothing(tmp_path: Path) -> None:
    """Each bar holds by itself, even for statements that no predicate can become."""
    file = tmp_path / "secret.csv"
    file.write_text("row\n2\n")
    held = pa.table({"row": [2]})
    with connect_isolated() as connection:
        for statement in (f"FROM read_csv('{file}')", f"FROM '{file}'", f"ATTACH '{file}'"):
            with pytest.raises(duckdb.PermissionException):
                connection.execute(statement)
        with pytest.raises(duckdb.CatalogException):
            connection.execute("FROM held")
        for statement in ("SET threads = 8", "RESET lock_configuration", "LOAD httpfs"):
            with pytest.raises(duckdb.Error):
                connection.execute(statement)
    assert held.num_rows == 1


def test_a_misspelt_column_is_named_with_its_neighbours() -> None:
    with pytest.raises(UsageError, match=r"'uncertanty', .*did you mean uncertainty\?"):
        matching_positions(TABLE, "uncertanty < 0.1")
    with pytest.raises(UsageError, match=r"'zzz', .*the columns are row, age, view"):
        matching_positions(TABLE, "zzz < 0.1")


def test_double_quotes_around_text_are_explained() -> None:
    with pytest.raises(UsageError, match="as text write 'PA'"):
        matching_positions(TABLE, 'view = "PA"')


@pytest.mark.parametrize("predicate", ["patient_id::int > 3", "cast(patient_id AS date) IS NULL"])
def test_values_of_the_table_stay_out_of_errors(predicate: str) -> None:
    with pytest.raises(UsageError, match="do not convert") as refused:
        matching_positions(TABLE, predicate)
    assert "anna" not in str(refused.value)


def test_a_function_outside_the_list_is_named() -> None:
    with pytest.raises(UsageError, match=r"calls 'repeat', .*they offer abs, ceil"):
        check_calls("repeat(view, 2) = 'x'")


def test_every_function_on_offer_exists() -> None:
    arguments = {
        "contains": "view, 'P'",
        "ends_with": "view, 'P'",
        "starts_with": "view, 'P'",
        "regexp_full_match": "view, 'P'",
        "regexp_matches": "view, 'P'",
        "list_contains": "findings, 'Mass'",
        "list_has": "findings, 'Mass'",
        "list_has_all": "findings, ['Mass']",
        "list_has_any": "findings, ['Mass']",
        "ifnull": "age, 1",
        "nullif": "age, 1",
        "pow": "age, 2",
        "substring": "view, 1, 1",
        **dict.fromkeys(("len", "length", "lower", "upper", "trim"), "view"),
    }
    for name in FUNCTIONS:
        matching_positions(TABLE, f"{name}({arguments.get(name, 'age')}) IS NOT NULL")


@settings(deadline=None)
@given(limit=st.floats(-1, 1, allow_nan=False), strict=st.booleans())
def test_comparisons_agree_with_python(limit: float, strict: bool) -> None:
    values = TABLE["uncertainty"].to_pylist()
    expected = [
        position
        for position, value in enumerate(values)
        if value is not None and (value < limit if strict else value <= limit)
    ]
    sign = "<" if strict else "<="
    found = matching_positions(TABLE, f"uncertainty {sign} {limit!r}::double")
    assert found.tolist() == expected


def test_all_columns_of_the_manifest_can_be_named() -> None:
    empty = IMAGES.arrow.empty_table()
    for name in IMAGES.arrow.names:
        assert matching_positions(empty, f"{name} IS NULL").size == 0
