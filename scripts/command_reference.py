"""The reference of all commands, from the commands themselves.

python scripts/command_reference.py docs/commands.md
"""

import re
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Final

import typer
from document_schemas import file_name

from dfsynth.cli import app
from dfsynth.cli.documents import DOCUMENTS
from dfsynth.cli.group import describe_statuses
from dfsynth.description.markdown import table
from dfsynth.errors import ExitStatus

_HEAD: Final = """\
# Commands and options

All commands with all their options, as `--help` has them; written by `make reference`.
[The command line](command-line.md) says what they have in common.

## Exit statuses"""
# Of help, which is ours and may quote commands: only what would end a cell or be taken for markup.
_MARKUP: Final = re.compile(r"([|*\\<>])")
_VALUES: Final = {str: "TEXT", int: "N", float: "X", Path: "PATH"}


def command_reference() -> str:
    """The page as Markdown."""
    statuses = table(
        ("status", "meaning"), ((str(each.value), _text(each.meaning)) for each in ExitStatus)
    )
    commands = (_describe(path, command) for path, command in walk_commands())
    return "\n\n".join((_HEAD, statuses, *commands, _documents())) + "\n"


def walk_commands() -> Iterator[tuple[str, Any]]:
    """Each command of the application with its words behind `dfsynth`, groups before theirs."""
    yield from _walk("", typer.main.get_command(app))


def _walk(path: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        words = f"{path} {name}".strip()
        yield words, command
        if hasattr(command, "commands"):
            yield from _walk(words, command)


def _describe(path: str, command: Any) -> str:
    parameters = [each for each in command.params if not getattr(each, "hidden", False)]
    arguments = [each for each in parameters if each.param_type_name == "argument"]
    options = [each for each in parameters if each.param_type_name == "option"]
    words = " ".join(f"[{_name(each)}]" if not each.required else _name(each) for each in arguments)
    # Of the sentences behind the table, the help shows the first as the example.
    example = (command.epilog or "").partition("\n\n")[0].removeprefix("Example: ")
    parts = [
        f"## dfsynth {path}",
        _text(command.help),
        f"    dfsynth {path} {words} [OPTIONS]".replace("  [", " ["),
        _table("argument", arguments),
        _table("option", options),
        f"For example: `{example}`" if example else "",
        describe_statuses(command),
        _printed(path),
    ]
    return "\n\n".join(filter(None, parts))


def _table(heading: str, parameters: list[Any]) -> str:
    if not parameters:
        return ""
    rows = ((_spelling(each), _default(each), _text(each.help)) for each in parameters)
    return table((heading, "default", ""), rows)


def _spelling(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{_name(parameter)}`"
    names = ", ".join(f"`{name}`" for name in sorted(parameter.opts, key=len, reverse=True))
    if parameter.is_flag:
        return names
    return f"{names} `{parameter.metavar or _VALUES[parameter.type_descriptor.annotation]}`"


def _name(parameter: Any) -> str:
    return str(parameter.name).upper()


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    value = parameter.default
    if isinstance(value, Enum):
        value = value.value
    return "" if value is None or value is False or value == "" else f"`{value}`"


def _text(text: str | None) -> str:
    return _MARKUP.sub(r"\\\1", " ".join((text or "").split()))


def _printed(path: str) -> str:
    """Which documents a command prints with `--json`."""
    found = [
        f"[{each.name}](schemas/{file_name(each)})"
        for each in DOCUMENTS
        if any(re.fullmatch(rf"{path}( -.*| [A-Z]+)?", line) for line in each.commands)
    ]
    return f"With `--json`: {', '.join(found)}." if found else ""


def _documents() -> str:
    rows = (
        (
            f"[{each.schema['name']}](schemas/{file_name(each)})",
            str(each.version),
            ", ".join(f"`dfsynth {line}`" for line in each.commands),
        )
        for each in DOCUMENTS
    )
    documents = table(("schema", "version", "printed by"), rows)
    return f"## Documents of `--json`\n\n{documents}"


def main() -> None:
    Path(sys.argv[1]).write_text(command_reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
