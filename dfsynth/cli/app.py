"""The command line: one file a command, each of which parses, configures, and makes one call."""

import io
import sys
from typing import Annotated

import typer

from dfsynth.cli import (
    build,
    doctor,
    evaluate,
    export,
    filter_command,
    info,
    models,
    report,
    show,
    simulate,
    sources,
    train,
    verify,
)
from dfsynth.cli.group import DfsynthGroup
from dfsynth.version import __version__

app = typer.Typer(
    name="dfsynth",
    no_args_is_help=True,
    cls=DfsynthGroup,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"dfsynth {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Synthetic X-ray dark-field radiographs from ordinary chest X-rays, with uncertainty maps.

    Synthetic images, for research only, not for diagnosis.
    """


app.command(epilog=build.EXAMPLE, cls=build.BuildCommand)(build.build)
app.command(epilog=show.EXAMPLE)(show.show)
app.command(epilog=report.EXAMPLE)(report.report)
app.command(epilog=info.EXAMPLE)(info.info)
app.command(epilog=verify.EXAMPLE)(verify.verify)
app.command("filter", epilog=filter_command.EXAMPLE)(filter_command.filter_store)
app.command(epilog=export.EXAMPLE)(export.export)
app.command(epilog=simulate.EXAMPLE)(simulate.simulate)
app.command(epilog=evaluate.EXAMPLE)(evaluate.evaluate)
app.command(epilog=train.EXAMPLE)(train.train)
app.add_typer(sources.app, name="sources")
app.command(epilog=models.EXAMPLE)(models.models)
app.command(epilog=doctor.EXAMPLE)(doctor.doctor)


def main() -> None:
    """The entry point `dfsynth`."""
    for stream in (sys.stdout, sys.stderr):
        # Names of files need not be text, nor need a terminal know every letter.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app()
