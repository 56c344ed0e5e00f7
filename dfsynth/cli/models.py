"""`dfsynth models`."""

import io
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from dfsynth.cli.completion import complete_network
from dfsynth.cli.console import console_of
from dfsynth.cli.hanging import hanging_lines
from dfsynth.cli.options import JsonFlag, Quiet, Verbose

if TYPE_CHECKING:
    from dfsynth.checkpoint.packaged import PackagedNetwork

EXAMPLE = "Example: dfsynth models default"

_LABEL: Final = 12  # columns, the space behind the longest label included
_INTERVAL: Final = frozenset({"value", "low", "high"})


def models(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Say everything of this one. (default: list all)", autocompletion=complete_network
        ),
    ] = None,
    json: JsonFlag = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """List the packaged checkpoints: their training data, metrics, known failures and licence."""
    with console_of(json, quiet, verbose) as console:
        from dfsynth.checkpoint.packaged import (
            PackagedNetworks,
            packaged_network,
            packaged_networks,
        )

        columns = shutil.get_terminal_size().columns
        if name is None:
            networks = packaged_networks()
            console.result(PackagedNetworks(networks), _table(networks, columns))
            return
        network = packaged_network(name)
        console.result(network, "\n".join(_lines(network, columns)))


def _table(networks: Sequence["PackagedNetwork"], columns: int) -> str:
    from rich.console import Console as RichConsole
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("name", no_wrap=True)
    for heading in ("images", "network", "grid", "size", "licence", "recipe"):
        table.add_column(heading, overflow="fold")
    for network in networks:
        table.add_row(
            network.name,
            "yes" if network.generates_images else "none",
            network.network,
            _grid(network),
            _size(network),
            network.license,
            network.recipe,
        )
    # Not to a terminal: no colours, and the same lines wherever they go.
    drawn = RichConsole(file=io.StringIO(), width=columns, color_system=None)
    with drawn.capture() as captured:
        drawn.print(table)
    lines = [line.rstrip() for line in captured.get().splitlines() if line.strip()]
    return "\n".join([*lines, "", "more of one: dfsynth models NAME"])


def _lines(network: "PackagedNetwork", columns: int) -> Iterator[str]:
    """What people want to know of a network, each fact with a hanging indent."""
    yield from hanging_lines(network.name, network.intended_use, _LABEL, columns)
    facts = [
        ("images", _images(network)),
        ("task", _task(network)),
        ("trained as", network.trained_as),
        ("network", network.network),
        ("grid", f"{_grid(network)} pixels"),
        ("size", _size(network)),
        ("licence", network.license),
        ("recipe", network.recipe),
        ("limits", network.limits),
        *_listed("data", (_data(part) for part in network.training_data)),
        *_listed("metrics", _metrics((), network.metrics)),
    ]
    for label, text in facts:
        if text:
            yield from hanging_lines(label, text, _LABEL, columns, indent=2)


def _listed(label: str, texts: Iterator[str]) -> list[tuple[str, str]]:
    return [("" if number else label, f"- {text}") for number, text in enumerate(texts)]


def _task(network: "PackagedNetwork") -> str:
    if network.task is None:
        return ""
    from dfsynth.tasks import task_named

    task = task_named(network.task)
    return f"{task.name}: {task.title}; takes {task.modality} images"


def _images(network: "PackagedNetwork") -> str:
    if network.generates_images:
        return f"yes: dfsynth build --checkpoint {network.name}"
    return "none: it serves a part of dfsynth"


def _grid(network: "PackagedNetwork") -> str:
    return f"{network.grid[0]} × {network.grid[1]}"


def _size(network: "PackagedNetwork") -> str:
    from dfsynth.cli.formats import format_bytes

    return format_bytes(network.size_bytes)


def _data(part: Mapping[str, str]) -> str:
    """`ct; licence: CC BY 3.0; training pairs: 100`."""
    facts = {"licence": "not given", **part}
    named = facts.pop("name", "unnamed")
    return "; ".join([named, *(f"{key.replace('_', ' ')}: {fact}" for key, fact in facts.items())])


def _metrics(path: tuple[str, ...], found: Mapping[str, object]) -> Iterator[str]:
    """One text for each table of metrics, however deep it lies."""
    values = {key: text for key, value in found.items() if (text := _value(value)) is not None}
    if values:
        title = ", ".join(part.replace("_", " ") for part in path) or "all"
        yield f"{title}: " + "; ".join(f"{k.replace('_', ' ')} {t}" for k, t in values.items())
    for key, value in found.items():
        if key not in values and isinstance(value, Mapping):
            yield from _metrics((*path, key), value)


def _value(found: object) -> str | None:
    """A metric with its interval, if it has one; None for a table of metrics."""
    if not isinstance(found, Mapping):
        return f"{found:.3g}" if isinstance(found, float) else str(found)
    if set(found) != _INTERVAL:
        return None
    if found["value"] is None:
        return "undefined"
    if found["low"] is None or found["high"] is None:
        return f"{found['value']:.3g}"
    return f"{found['value']:.3g} ({found['low']:.3g} to {found['high']:.3g})"
