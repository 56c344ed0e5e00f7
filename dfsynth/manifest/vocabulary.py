"""The words of a predicate: the functions that it may call, and those that it uses.

A closed list, because DuckDB's memory limit does not hold for every function: one
`range(2000000000)` takes all memory of the machine, and others reveal the machine or the
configuration.
"""

from itertools import pairwise
from typing import Final

import duckdb

from dfsynth.errors import UsageError

FUNCTIONS: Final = (
    "abs",
    "ceil",
    "coalesce",
    "contains",
    "ends_with",
    "exp",
    "floor",
    "greatest",
    "ifnull",
    "isfinite",
    "isnan",
    "least",
    "len",
    "length",
    "list_contains",
    "list_has",
    "list_has_all",
    "list_has_any",
    "ln",
    "log10",
    "lower",
    "nullif",
    "pow",
    "regexp_full_match",
    "regexp_matches",
    "round",
    "sqrt",
    "starts_with",
    "substring",
    "trim",
    "upper",
)
SYNTAX: Final = frozenset(
    (
        *("and", "or", "not", "in", "is", "between", "like", "ilike", "distinct", "from"),
        *("case", "when", "then", "else", "cast", "try_cast"),
    )
)
"""Words that an opening bracket may follow without being called."""
_WORDS: Final = frozenset({"identifier", "keyword"})


def check_calls(predicate: str) -> None:
    """Requires that a predicate calls nothing but `FUNCTIONS`.

    Raises:
        UsageError: it calls something else.
    """
    for name in _called(predicate):
        if name.lower() not in SYNTAX and name.lower() not in FUNCTIONS:
            raise UsageError(
                f"the predicate calls {name!r}, which filters do not offer; "
                f"they offer {', '.join(FUNCTIONS)}"
            )


def words_of(predicate: str) -> frozenset[str]:
    """The words of a predicate, in lower case and without quotes: columns, functions, keywords."""
    pieces = pieces_of(predicate)
    return frozenset(word.lower().strip('"') for kind, word in pieces if kind in _WORDS)


def _called(predicate: str) -> list[str]:
    """Every word that an opening bracket follows."""
    return [
        word
        for (kind, word), (_, following) in pairwise(pieces_of(predicate))
        if kind in _WORDS and following.startswith("(")
    ]


def pieces_of(predicate: str) -> list[tuple[str, str]]:
    """The kind, by DuckDB, and the text of every token but comments."""
    text = predicate.encode()
    tokens = [(start, kind.name) for start, kind in duckdb.tokenize(predicate)]
    return [
        (kind, text[start:end].decode(errors="replace").strip())
        for (start, kind), (end, _) in pairwise([*tokens, (len(text), "end")])
        if kind != "comment"
    ]
