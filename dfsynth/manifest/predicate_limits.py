"""How much a predicate may ask of the machine, before DuckDB sees it and while it evaluates it.

DuckDB's memory limit holds neither for what a type asks for (`NULL::INT[100000][100000]`) nor for
what is built within one batch of rows, and an expression that is deeply nested is bound for
minutes.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import duckdb

from dfsynth.errors import UsageError
from dfsynth.manifest.vocabulary import SYNTAX, pieces_of

MOST_CHARACTERS: Final = 100_000
MOST_NESTED: Final = 100
"""Levels of an expression; of brackets too, which DuckDB itself does not count."""
MOST_SECONDS: Final = 60.0
_LARGEST_EXTENT: Final = 100
"""Of an array type, all its dimensions together."""
_LOOPS: Final = frozenset({"for", "lambda", "->"})
_OPENING: Final = frozenset("([{")
_CLOSING: Final = frozenset(")]}")


def require_modest(predicate: str) -> None:
    """Requires that what a predicate takes grows with its length and the rows, and no faster.

    Raises:
        UsageError: it is too long or too deeply nested, walks through a list, or has an array type
            of many values.
    """
    if len(predicate) > MOST_CHARACTERS:
        raise UsageError(
            f"the predicate has {len(predicate)} characters; expected at most {MOST_CHARACTERS}: "
            "split it, or select the rows in Python"
        )
    words = [word for _, word in pieces_of(predicate)]
    _check_nesting(words)
    for word in words:
        if word.lower() in _LOOPS:
            raise UsageError(
                f"the predicate has {word!r}, which walks through a list; expected a condition on "
                "the columns themselves, and for lists list_contains(findings, 'Effusion')"
            )
    _check_extents(words)


@contextmanager
def limited_time(connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Interrupts what the connection does in the body after so many seconds.

    Raises:
        UsageError: it was interrupted.
    """
    ended = threading.Event()

    def interrupt() -> None:
        ended.set()
        connection.interrupt()

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    except duckdb.Error as error:
        if ended.is_set():
            raise UsageError(
                f"the predicate was not evaluated within {seconds:g} s; expected a simpler one"
            ) from error
        raise
    finally:
        timer.cancel()


def _check_nesting(words: Sequence[str]) -> None:
    depth = 0
    for word in words:
        depth += (word in _OPENING) - (word in _CLOSING)
        if depth > MOST_NESTED:
            raise UsageError(
                f"the predicate opens more than {MOST_NESTED} brackets within each other; expected "
                "a simpler one"
            )


def _check_extents(words: Sequence[str]) -> None:
    """Of `[1000]` behind a type; a subscript looks the same, and is as small where it has a use."""
    extent = 1
    for at in range(1, len(words) - 2):
        before, opening, number, closing = words[at - 1 : at + 3]
        if opening != "[" or closing != "]" or not _ends_an_operand(before):
            continue
        extent = extent if before == "]" else 1
        if not number.isdecimal():
            continue
        extent *= max(int(number), 1)
        if extent > _LARGEST_EXTENT:
            raise UsageError(
                f"the predicate has [{number}] behind {before!r}; expected subscripts and arrays "
                f"of at most {_LARGEST_EXTENT} values"
            )


def _ends_an_operand(word: str) -> bool:
    """Whether square brackets behind a word belong to it, and do not begin a list."""
    return word in ("]", ")") or (
        word.lower() not in SYNTAX and word.replace("_", "a").strip('"').isalnum()
    )
