"""Options that several commands share, and how their texts are read."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from dfsynth.errors import UsageError

StorePath: TypeAlias = Annotated[Path, typer.Argument(help="The store: a folder such as x.zarr.")]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]
Quiet: TypeAlias = Annotated[bool, typer.Option("-q", "--quiet", help="Only errors.")]
Verbose: TypeAlias = Annotated[
    bool, typer.Option("-v", "--verbose", help="Debug messages, and tracebacks of errors.")
]

MaxPixels: TypeAlias = Annotated[
    int | None, typer.Option(help="Largest image decoded, rows × columns.")
]
MaxBytes: TypeAlias = Annotated[int | None, typer.Option(help="Largest file read.")]

_EXAMPLES: Final = {"--severity": "0:0.5", "--kvp": "90:125"}


def require_only(context: typer.Context, allowed: Collection[str], command: str) -> None:
    """Passes a command line on which nothing but parameters of these names is given.

    Raises:
        UsageError: another one is, which `command` would ignore.
    """
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        given = source is not None and source.name == "COMMANDLINE"
        if given and parameter.name not in allowed:
            raise UsageError(
                f"{command}: expected no {parameter.opts[0]}, which does not apply; leave it out"
            )


def parse_size(text: str | None) -> tuple[int, int] | None:
    """`256` or `947x956` (height x width) → (height, width).

    Raises:
        UsageError: anything else.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text)
    if match is None:
        raise UsageError(f"--size {text}: expected N or HxW, for example 256 or 947x956")
    return int(match[1]), int(match[2] or match[1])


def parse_share(text: str | None) -> tuple[int, int]:
    """`I/N` → (I, N).

    Raises:
        UsageError: anything else.
    """
    if text is None:
        return 0, 1
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match is None:
        raise UsageError(f"--shard {text}: expected I/N with I from 0, for example 0/4")
    return int(match[1]), int(match[2])


def parse_range(option: str, text: str, single: bool = False) -> tuple[float, float]:
    """`MIN:MAX` → (min, max); with `single` also one number, which stands for both.

    Raises:
        UsageError: anything else.
    """
    ends = text.split(":")
    try:
        numbers = [float(end) for end in ends]
    except ValueError:
        numbers = []
    if len(numbers) == 1 and single:
        numbers *= 2
    if len(numbers) != 2:
        also = " or one number" if single else ""
        raise UsageError(
            f"{option} {text}: expected MIN:MAX{also}, for example {_EXAMPLES[option]}"
        )
    return numbers[0], numbers[1]


def parse_batch_size(text: str) -> int | None:
    """`auto` or a number.

    Raises:
        UsageError: anything else.
    """
    if text == "auto":
        return None
    if not text.isdecimal():
        raise UsageError(f"--batch-size {text}: expected auto or a number of images")
    return int(text)


def parse_names(text: str) -> tuple[str, ...]:
    """`a,b` → ("a", "b")."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
