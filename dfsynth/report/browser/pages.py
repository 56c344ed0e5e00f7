"""Writes the pages of a report, by the templates beside this module."""

import base64
import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import jinja2
import numpy as np

from dfsynth.files.json_record import Json
from dfsynth.printable_text import printable
from dfsynth.report.browser.columns import GroupColumn, NumberColumn, axis_of
from dfsynth.report.browser.encoding import array_script, facts_script
from dfsynth.report.browser.facts import StorePage
from dfsynth.report.colours import colour_table
from dfsynth.version import __version__

_TEMPLATES: Final = Path(__file__).parent / "templates"
_COLOUR_MAPS: Final = ("gray", "cividis", "viridis", "inferno", "magma")
"""Those that read the same without a sense of red and green."""
_DATA: Final = "data"


@dataclass(frozen=True, slots=True)
class EvaluationPage:
    """All that the page of an evaluation shows."""

    title: str
    """The checkpoint."""
    data: str
    """What it was evaluated on."""
    notice: str
    facts: Mapping[str, Json]
    """The figures, as the scripts of the page take them."""
    tiles: tuple[tuple[str, str], ...]
    """A few numbers to begin with: names and values."""
    stated: tuple[tuple[str, str], ...]
    """What was evaluated on what: names and values."""
    warnings: tuple[str, ...]


def write_store_page(folder: Path, page: StorePage) -> None:
    """Writes index.html and its data, the images left out, into `folder`.

    Raises:
        OSError: the disk refuses.
    """
    data = folder / _DATA
    data.mkdir()
    scripts = []
    for name, content in _store_scripts(page):
        (data / name).write_bytes(content)
        scripts.append(f"{_DATA}/{name}")
    _render(folder, "store.html", scripts, page=page, provenance=_flat(page.provenance))


def write_evaluation_page(folder: Path, page: EvaluationPage) -> None:
    """Writes index.html and its data into `folder`.

    Raises:
        OSError: the disk refuses.
    """
    data = folder / _DATA
    data.mkdir()
    (data / "facts.js").write_bytes(facts_script("report", dict(page.facts)))
    _render(folder, "evaluation.html", [f"{_DATA}/facts.js"], page=page)


def _render(folder: Path, template: str, scripts: list[str], **values: Any) -> None:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        # Of every template: names, findings and sentences come from files.
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    text = environment.get_template(template).render(scripts=scripts, version=__version__, **values)
    (folder / "index.html").write_text(text, encoding="utf-8")


def _shown(value: object) -> object:
    # Markup is of the templates themselves: text that was escaped already.
    return printable(value) if type(value) is str else value


def _store_scripts(page: StorePage) -> list[tuple[str, bytes]]:
    scripts = [("facts.js", facts_script("report", _facts(page)))]
    for index, group in enumerate(page.groups):
        content = array_script(f"group-{index}", group.codes)
        if group.offsets is not None:
            content += array_script(f"group-{index}-offsets", group.offsets)
        scripts.append((f"group-{index}.js", content))
    if page.no_lung is not None:
        lung = array_script("no-lung", np.array(page.no_lung, np.uint32))
        scripts.append(("no-lung.js", lung))
    for index, column in enumerate(page.numbers):
        scripts.append((f"number-{index}.js", array_script(f"number-{index}", column.values)))
    return scripts


def _facts(page: StorePage) -> dict[str, Json]:
    return {
        "shellName": shlex.quote(page.store),
        "pythonName": json.dumps(page.store, ensure_ascii=False),
        "holds": page.holds,
        "finished": page.finished,
        "numbers": [_number_facts(column) for column in page.numbers],
        "groups": [_group_facts(column) for column in page.groups],
        "default": page.default,
        "knowsLung": page.no_lung is not None,
        "maps": [asdict(kind) for kind in page.maps],
        "colours": {name: _colours(name) for name in _COLOUR_MAPS},
        "images": [
            [image.position, image.row, image.name, list(image.remarks)] for image in page.images
        ],
        "errors": [asdict(curve) for curve in page.errors],
        "promiseTerms": page.promise_terms,
        "shellCheckpoint": page.checkpoint and shlex.quote(page.checkpoint),
        "pythonCheckpoint": page.checkpoint and json.dumps(page.checkpoint, ensure_ascii=False),
    }


def _number_facts(column: NumberColumn) -> dict[str, Json]:
    axis = axis_of(column.values)
    return {
        "name": column.name,
        "description": column.description,
        "unit": column.unit,
        "unusual": column.unusual,
        "hasNan": column.has_nan,
        "known": int(np.isfinite(column.values).sum()),
        **asdict(axis),
        "width": axis.width,
    }


def _group_facts(column: GroupColumn) -> dict[str, Json]:
    return {
        "name": column.name,
        "title": column.title,
        "labels": list(column.labels),
        "several": column.offsets is not None,
    }


def _colours(name: str) -> str:
    return base64.b64encode(colour_table(name).tobytes()).decode()


def _flat(document: Mapping[str, Json], above: str = "") -> list[tuple[str, str]]:
    """Names and values of a nested document, line by line."""
    lines: list[tuple[str, str]] = []
    for key, value in document.items():
        name = f"{above}{key.replace('_', ' ')}"
        if isinstance(value, Mapping):
            lines += _flat(value, f"{name}: ")
        elif isinstance(value, list | tuple):
            lines.append((name, ", ".join(map(str, value))))
        else:
            lines.append((name, str(value)))
    return lines
