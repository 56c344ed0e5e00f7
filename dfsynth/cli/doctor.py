"""`dfsynth doctor`."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from dfsynth.cli.console import console_of
from dfsynth.cli.hanging import wrapped_lines
from dfsynth.cli.options import Device, JsonFlag, Precision, Quiet, Verbose
from dfsynth.counted_nouns import counted
from dfsynth.errors import ExitStatus

if TYPE_CHECKING:
    from dfsynth.doctor import Examination, Machine, SelfTest

EXAMPLE = "Example: dfsynth doctor --out /scratch --images 224316"
_CORPUS: Final = "nih"


def doctor(
    out: Annotated[
        Path, typer.Option(help="Where stores are to lie: its disk is looked at.")
    ] = Path(),
    images: Annotated[
        int | None,
        typer.Option(help="Images of the corpus to project a time for. (default: those of nih)"),
    ] = None,
    device: Device = "auto",
    precision: Precision = "auto",
    json: JsonFlag = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Look whether all is well here: libraries, devices, disk, and a self-test of ten seconds.

    Needs no network, and names no person, machine or folder: what it prints may be passed on.
    Exits 1 where something is broken.
    """
    with console_of(json, quiet, verbose, resumes=False) as console:
        from dfsynth.doctor import corpus_images, examine

        number = corpus_images(_CORPUS) if images is None else images
        found = examine(out, number, device, precision, console.note)
        columns = shutil.get_terminal_size().columns
        lines = (part for line in _lines(found) for part in wrapped_lines(line, columns))
        console.result(found, "\n".join(lines))
        if found.problems:
            raise typer.Exit(ExitStatus.FAILURE)


def _lines(found: "Examination") -> Iterator[str]:
    from dfsynth.cli.formats import format_bytes

    yield f"dfsynth {found.dfsynth}, Python {found.python}"
    width = max((len(each.name) for each in found.libraries), default=0)
    for library in found.libraries:
        state = library.version or "not installed"
        yield f"  {library.name:<{width}}  {state}"
    yield "extras"
    width = max((len(each.name) for each in found.extras), default=0)
    for extra in found.extras:
        state = "present" if extra.present else f"missing; to have it: {extra.install}"
        yield f"  {extra.name:<{width}}  {state}"
    if found.machine is not None:
        yield from _machine_lines(found.machine)
    yield f"  free where --out lies: {format_bytes(found.free_bytes)}"
    if found.self_test is not None:
        yield from _test_lines(found.self_test)
    yield from (f"remark: {remark}" for remark in found.remarks)
    yield from (f"problem: {problem}" for problem in found.problems)
    if not found.problems:
        yield "all is well"


def _machine_lines(machine: "Machine") -> Iterator[str]:
    from dfsynth.cli.formats import format_bytes

    yield f"machine: {machine.system}"
    for device in machine.devices:
        memory = "" if device.memory_bytes is None else f", {format_bytes(device.memory_bytes)}"
        yield f"  {device.name}: {device.model}{memory}"
    yield f"  chosen: {machine.device} in {machine.why}"
    yield f"  {counted(machine.cores, 'core')}, {counted(machine.threads, 'thread')} of PyTorch"
    available = machine.available_bytes
    free = "" if available is None else f", {format_bytes(available)} available"
    yield f"  memory: {format_bytes(machine.memory_bytes)}{free}"


def _test_lines(test: "SelfTest") -> Iterator[str]:
    from dfsynth.cli.formats import format_seconds

    result = "as expected" if test.passed else "not as expected"
    yield (
        f"self-test: {counted(test.images, 'image')} in {format_seconds(test.seconds)}, {result} "
        f"(largest difference {test.largest_difference:.1g}, at most {test.tolerance:g})"
    )
    yield (
        f"  {test.images_per_s:.3g} images/s; "
        f"{counted(test.projected_images, 'image', grouped=True)} would take about "
        f"{format_seconds(test.projected_seconds)} of the generator on this device"
    )
