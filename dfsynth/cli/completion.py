"""Values that a shell completes; nothing here loads torch, and nothing fails where a file does.

Each function gives the values that begin with what is typed, some with a few words beside them,
which zsh and fish show.
"""

import re
from collections.abc import Callable, Iterable
from glob import escape
from pathlib import Path
from textwrap import shorten
from typing import Final

import typer

from dfsynth.resources import data_folder

_NUMERIC: Final = ("int", "float", "double")
_BESIDE: Final = 60  # letters beside a value: longer ones are wrapped in the middle of a menu
_LAST_WORD: Final = re.compile(r"\w*$")


def one_of(values: Iterable[str]) -> Callable[[str], list[str]]:
    """Completes one of these values."""
    known = tuple(values)

    def complete(incomplete: str) -> list[str]:
        return [value for value in known if value.startswith(incomplete)]

    return complete


def some_of(values: Iterable[str]) -> Callable[[str], list[str]]:
    """Completes a list of these values with commas between, each of them once."""
    known = tuple(values)

    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        left = [value for value in known if value not in before.split(",")]
        return [before + comma + value for value in left if value.startswith(last)]

    return complete


def complete_maps(incomplete: str) -> list[str]:
    """Completes a list of maps that stores can hold, with commas between."""
    from dfsynth.tasks import known_maps

    return some_of(known_maps())(incomplete)


def complete_task(incomplete: str) -> list[str]:
    """Completes the name of a task."""
    from dfsynth.tasks import task_names

    return [name for name in task_names() if name.startswith(incomplete)]


def complete_corpus(incomplete: str) -> list[tuple[str, str]]:
    """Completes the name of a packaged corpus; its title beside."""
    import tomllib

    files = sorted(data_folder("corpora").glob(f"{_literal(incomplete)}*.toml"), key=_stem)
    titles = (str(tomllib.loads(path.read_text())["title"]) for path in files)
    return [
        (path.stem, shorten(title, _BESIDE, placeholder="…"))
        for path, title in zip(files, titles, strict=True)
    ]


def complete_recipe(incomplete: str) -> list[str]:
    """Completes the name of a packaged recipe."""
    return sorted(
        path.stem for path in data_folder("recipes").glob(f"{_literal(incomplete)}*.toml")
    )


def complete_network(incomplete: str) -> list[str]:
    """Completes the name of a packaged network."""
    from dfsynth.checkpoint.files import packaged_folders

    return [path.name for path in packaged_folders() if path.name.startswith(incomplete)]


def complete_checkpoint(incomplete: str) -> list[str]:
    """Completes the name of a packaged network that generates images."""
    from dfsynth.checkpoint.files import packaged_generators

    return [path.name for path in packaged_generators() if path.name.startswith(incomplete)]


def complete_format(incomplete: str) -> list[str]:
    """Completes a format of `dfsynth export`."""
    from dfsynth.jobs.export import EXPORTERS

    return [name for name in EXPORTERS if name.startswith(incomplete)]


def complete_score(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Completes a column with numbers of the store that the command line names."""
    return [
        (name, kind)
        for name, kind in _columns(context)
        if name.startswith(incomplete) and kind.startswith(_NUMERIC)
    ]


def complete_predicate(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Completes the last word of a SQL predicate as a column of the store."""
    last = _LAST_WORD.search(incomplete)
    start = last.start() if last else len(incomplete)
    return [
        (incomplete[:start] + name, kind)
        for name, kind in _columns(context)
        if name.startswith(incomplete[start:])
    ]


def _columns(context: typer.Context) -> list[tuple[str, str]]:
    """Name and type of each column of the store in hand; none where it cannot be read."""
    # Where an option still lacks its value, arguments are left unparsed.
    given = [context.params.get("store"), *context.args]
    store = next((str(each) for each in given if each is not None), "")
    # Of a store of HDF5, the manifest lies in the folder beside the file.
    folders = (Path(store), Path(f"{store}.parts"))
    parts = (part for folder in folders for part in folder.glob("manifest/part-*.parquet"))
    part = next(parts, None)
    if part is None:
        return []
    import pyarrow as pa
    from pyarrow.parquet import read_schema

    try:
        return [(field.name, str(field.type)) for field in read_schema(part)]
    except (OSError, pa.ArrowException):
        # A message of ours would stand in the middle of what is being typed.
        return []


def _stem(path: Path) -> str:
    return path.stem


def _literal(text: str) -> str:
    """`text` for a pattern of names, which leads into no other folder."""
    return escape(text.replace("/", "?"))
