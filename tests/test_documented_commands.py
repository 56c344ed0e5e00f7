"""Every command that a page or the README shows is one that the command line takes."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from dfsynth.cli import app
from dfsynth.options import EvaluationOptions, SimulateOptions, TrainOptions

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_CELL = r"\{code-cell\} ipython3\n(?::tags: .*\n\n)?%%bash"
BLOCK = re.compile(rf"^```(?:console|bash|{_CELL})\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CELL = re.compile(rf"^```{_CELL}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Not the synopses of the reference, in which arguments stand in capitals.
INDENTED = re.compile(r"^    (dfsynth (?!.*OPTIONS).*)$", re.MULTILINE)
OPTIONS: dict[str, type[EvaluationOptions | SimulateOptions | TrainOptions]] = {
    "evaluate": EvaluationOptions,
    "simulate": SimulateOptions,
    "train": TrainOptions,
}
"""Of commands whose options need one another."""
ENDS = {"&&", "||", "|", "&", ";", ";;", ">", "<", ")", "(", ">|"}


def commands_of(page: Path) -> Iterator[list[str]]:
    """The words behind each `dfsynth` that is run in a block of the page."""
    text = page.read_text(encoding="utf-8")
    blocks = [*BLOCK.findall(text), *INDENTED.findall(text)]
    for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
        starts = [at for at, word in enumerate(words) if word == "dfsynth"]
        for at in starts:
            if at == 0 or words[at - 1] in ENDS or words[at - 2 : at] == ["-m", "dfsynth"]:
                rest = words[at + 1 :]
                end = next((i for i, word in enumerate(rest) if set(word) <= set("&|;<>()")), None)
                yield rest[:end]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_are_understood(page):
    for words in commands_of(page):
        # `dfsynth COMMAND --help` stands for any; `dfsynth --version` is no command.
        if words and not words[0].isupper() and not words[0].startswith("--"):
            parse(words)


def parse(words: list[str]) -> None:
    """Reads the arguments of one command as the command line does; nothing is run."""
    command = get_command(app)
    path = []
    rest = list(words)
    while isinstance(command, TyperGroup) and rest and rest[0] in command.commands:
        path.append(rest.pop(0))
        command = command.commands[path[-1]]
    assert path, f"no command: dfsynth {' '.join(words)}"
    if "--help" in rest:
        return
    with command.make_context(" ".join(path), rest) as context:
        options = OPTIONS.get(path[0])
        if options is not None and not context.params.get("validate"):
            # What it is made of is not looked for.
            names = {field.name for field in fields(options)}
            given = {k: v for k, v in context.params.items() if k in names and v is not None}
            options.of(**given)


def test_commands_are_found():
    found = [words for page in PAGES for words in commands_of(page)]
    assert len(found) > 80
    assert ["build", "--source", "samples", "--out", "first.zarr"] in found


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: path.name)
def test_no_failure_in_a_cell_passes_unseen(page):
    """A cell of several commands fails by its last alone, unless they are joined."""
    for cell in CELL.findall(page.read_text(encoding="utf-8")):
        for line in cell.splitlines()[:-1]:
            assert line.endswith(("&&", "||", "\\")), line
