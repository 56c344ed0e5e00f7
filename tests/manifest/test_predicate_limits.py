"""How much a predicate may ask: nesting, literals, types and time are bounded."""

import duckdb
import pyarrow as pa
import pytest

from dfsynth.errors import UsageError
from dfsynth.manifest import predicate as predicates
from dfsynth.manifest.predicate import connect_isolated, matching_positions
from dfsynth.manifest.predicate_limits import limited_time, require_modest

TABLE = pa.table(
    {
        "row": pa.array([0, 1, 2], pa.int64()),
        "view": pa.array(["PA", "AP", None]),
        "findings": pa.array([["Mass"], None, ["Effusion", "Mass"]]),
    }
)


@pytest.mark.parametrize(
    ("predicate", "sentence"),
    [
        ("row = 1 or " * 20_000 + "true", "has 220004 characters; expected at most 100000"),
        ("(" * 101 + "row > 3" + ")" * 101, "opens more than 100 brackets"),
        ("- " * 900 + "row > 3", "nested more than 100 levels"),
        ("not " * 150 + "(row > 3)", "nested more than 100 levels"),
        ("+".join(["row"] * 300) + " > 3", "nested more than 100 levels"),
        ("len([x for x in findings]) > 0", "has 'for', which walks through a list"),
        ("len([[1 for y in findings] for x in findings]) > 0", "has 'for'"),
        ("view -> 'a' is null", "has '->', which walks"),
        ("NULL::INT[1000] IS NULL", r"has \[1000\] behind 'INT'"),
        ("NULL::INT[50][ 50 ] IS NULL", r"has \[50\] behind '\]'"),
        ("cast(NULL as DECIMAL(3, 1)[ /* */ 200]) IS NULL", r"has \[200\] behind '\)'"),
    ],
)
def test_what_would_ask_too_much_is_refused_in_one_line(predicate: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as refused:
        matching_positions(TABLE, predicate)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        ("row in (" + ", ".join(map(str, range(1, 15_000))) + ")", [1, 2]),
        (" or ".join(["row = 1"] * 5000), [1]),
        ("(" * 90 + "row = 1" + ")" * 90, [1]),
        ("findings[1] = 'Mass' or findings[2] = 'Mass'", [0, 2]),
        ("view[1:1000] = 'AP'", [1]),
        ("row in [2000, 1] or row in [2]", [1, 2]),
        ("view = 'INT[1000]' or view = '[x for x in y]' or view = 'AP'", [1]),
        ("case when row = 0 then [5000] else [1] end = [5000]", [0]),
    ],
)
def test_what_people_write_passes(predicate: str, expected: list[int]) -> None:
    assert matching_positions(TABLE, predicate).tolist() == expected


def test_what_takes_too_long_is_interrupted() -> None:
    with (
        connect_isolated() as connection,
        pytest.raises(UsageError, match=r"not evaluated within 0\.05 s"),
        limited_time(connection, 0.05),
    ):
        connection.execute("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a <> b")


def test_time_is_limited_where_predicates_are_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[float] = []

    class Watched:
        def __init__(self, _connection: duckdb.DuckDBPyConnection, seconds: float) -> None:
            held.append(seconds)

        def __enter__(self) -> None: ...

        def __exit__(self, *_error: object) -> None: ...

    monkeypatch.setattr(predicates, "limited_time", Watched)
    matching_positions(TABLE, "row = 1")
    assert held == [60.0]


def test_an_error_of_the_body_stays_what_it_is() -> None:
    with (
        connect_isolated() as connection,
        pytest.raises(duckdb.ParserException),
        limited_time(connection, 60),
    ):
        connection.execute("SELECT FROM WHERE")


def test_text_in_quotes_is_no_syntax() -> None:
    require_modest("view = '" + "(" * 500 + "'")
