"""Counts are followed by a noun of their number, by one function."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dfsynth.counted_nouns import counted

PACKAGE = Path(__file__).parents[1] / "dfsynth"
NOUNS = (
    "animals|checkpoints|columns|cores|epochs|files|images|inputs|lines|lobes|machines|maps|"
    "members|objects|pairs|passes|patients|phantoms|processes|radiographs|rows|samples|shards|"
    "slices|steps|thumbnails|threads|values|volumes"
)
BEHIND = re.compile(rf" (?!(?:are|holds|of|with) )([a-z-]+ )?({NOUNS})\b")
# Not of counts: words, and numbers that are constants or never 1.
NO_COUNTS = re.compile(
    r"name|modality|MARK|[A-Z_]{3,}|per_second|_per_s|width|column|shape|counts|fewest|'[a-z ]+'|"
    r"self\.steps|side|metrics"
)
# `0 of its 1 row were made`: the verb of `3 of 4 rows` has no number that suits every count.
PART = re.compile(r"\bof (its |the )?$")
VERB = re.compile(r"(?: (?:in|of|that) [^:;,]*)? (are|were|have|lie)\b")
# Where the subject is another, in the plural.
PLURAL = {"datasets/file_values.py", "evaluate/restoration/measurement.py"}
# Where messages speak of several alone.
SEVERAL = {"jobs/shard_builder.py": "len(items) inputs", "source/presence.py": "len(uris) files"}


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 images"), (1, "1 image"), (2, "2 images"), (1234, "1234 images")]
)
def test_one_is_no_plural(count: int, words: str) -> None:
    assert counted(count, "image") == words


def test_words_may_go_on_and_thousands_have_commas() -> None:
    assert counted(1, "shard is", "shards are") == "1 shard is"
    assert counted(2, "shard is", "shards are") == "2 shards are"
    assert counted(1234, "patient", grouped=True) == "1,234 patients"


def plurals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The lines of formatted texts in which a plural stands right behind a value."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr):
            continue
        for value, text in zip(node.values, node.values[1:], strict=False):
            if isinstance(value, ast.FormattedValue) and isinstance(text, ast.Constant):
                found = BEHIND.match(str(text.value))
                if found and not NO_COUNTS.search(ast.unparse(value.value)):
                    yield node.lineno, ast.unparse(value.value) + found.group()


def test_no_plural_stands_behind_a_count_that_may_be_one() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {words}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, words in plurals(ast.parse(path.read_text(encoding="utf-8")))
        if words != SEVERAL.get(str(path.relative_to(PACKAGE)))
    ]
    assert not found, "say counted(...): " + "; ".join(found)


def parts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The lines of formatted texts in which a plural's verb stands behind a part of a count."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr):
            continue
        for before, value, after in zip(
            node.values, node.values[1:], node.values[2:], strict=False
        ):
            if not (isinstance(before, ast.Constant) and isinstance(after, ast.Constant)):
                continue
            is_count = "counted(" in ast.unparse(value)
            if is_count and PART.search(str(before.value)) and VERB.match(str(after.value)):
                yield node.lineno, ast.unparse(value)


def test_no_verb_in_the_plural_stands_behind_a_part_of_one() -> None:
    found = [
        f"{name}:{line}: {words}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, words in parts(ast.parse(path.read_text(encoding="utf-8")))
        if (name := str(path.relative_to(PACKAGE))) not in PLURAL
    ]
    assert not found, "say `found 3 of 4 rows made, expected all` or the like: " + "; ".join(found)
