"""Options that several commands share."""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from dfsynth.cli.completion import one_of
from dfsynth.errors import UsageError
from dfsynth.options.build_options import PRECISIONS, VIEW_CHOICES
from dfsynth.records.sampling import MONTE_CARLO_MODES, SAMPLERS


def _named_path(value: str) -> Path:
    if not value:
        raise typer.BadParameter("found an empty path; expected a name, or . for this folder")
    return Path(value)


def output_option(about: str) -> Any:
    """An option for a path to write; an empty one would stand for the current folder."""
    return typer.Option(help=about, parser=_named_path, metavar="PATH")


StorePath: TypeAlias = Annotated[Path, typer.Argument(help="The store, such as x.zarr or x.h5.")]
JsonFlag: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Machine-readable output on stdout.")
]
Quiet: TypeAlias = Annotated[bool, typer.Option("-q", "--quiet", help="Only errors.")]
Verbose: TypeAlias = Annotated[
    bool, typer.Option("-v", "--verbose", help="Debug messages, and tracebacks of errors.")
]

LogPath: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--log",
        help="Append what happens to this file, one JSON object a line.",
        parser=_named_path,
        metavar="FILE",
    ),
]

MaxPixels: TypeAlias = Annotated[
    int | None, typer.Option(help="Largest image decoded, rows × columns.")
]
MaxBytes: TypeAlias = Annotated[int | None, typer.Option(help="Largest file read.")]

Views: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Of a corpus that tells them: frontal leaves other views out, all keeps them. "
        "(default: frontal)",
        autocompletion=one_of(VIEW_CHOICES),
    ),
]

MonteCarlo: TypeAlias = Annotated[
    str,
    typer.Option(
        help="full: every sample through every stage; fast: one pass of each member, no dropout.",
        autocompletion=one_of(MONTE_CARLO_MODES),
    ),
]

Sampler: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="From noise to a sample: ddim, ancestral or dpm-solver of diffusion, euler or "
        "midpoint of flow. (default: the checkpoint's)",
        autocompletion=one_of(SAMPLERS),
    ),
]
SamplerSteps: TypeAlias = Annotated[
    int | None,
    typer.Option(help="Passes of the network to such a sample. (default: the checkpoint's)"),
]
Guidance: TypeAlias = Annotated[
    float | None,
    typer.Option(
        help="Weight of classifier-free guidance, 0 for none; of checkpoints trained with "
        "drop_condition. (default: the checkpoint's)"
    ),
]

Precision: TypeAlias = Annotated[
    str, typer.Option(help="auto, fp32, bf16 or fp16.", autocompletion=one_of(PRECISIONS))
]
Device: TypeAlias = Annotated[
    str,
    typer.Option(help="auto, cpu, cuda or cuda:I.", autocompletion=one_of(("auto", "cpu", "cuda"))),
]

Partition: TypeAlias = Annotated[
    str | None,
    typer.Option(help="I/N: do every Nth shard only, from the I-th (0, 1, …), for job arrays."),
]
OldPartition: TypeAlias = Annotated[
    str | None, typer.Option("--shard", hidden=True, help="Old spelling of --partition.")
]


def require_only(context: typer.Context, allowed: Collection[str], command: str) -> None:
    """Requires that the command line gives no parameters but those of these names.

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
