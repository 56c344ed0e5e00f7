"""Draws which package of dfsynth imports which, from the source itself.

    python scripts/draw_architecture.py docs/images/architecture.svg

A box is a package below `dfsynth/` (or one of the modules `api` and `commands`) with the
first sentence of its docstring.
An arrow is an import, at the top of a file or inside a function. Arrows that follow from others
are left out: where a imports b, and b imports c, none is drawn from a to c. Boxes stand as high as
their importers allow, so that all arrows point down. The graph is kept in the figure's
description, by which a test tells whether the committed figure is current.
"""

import argparse
import ast
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as Curve

Graph = Mapping[str, frozenset[str]]

# Single modules that are the way in; all other boxes are folders.
DOORS = ("api", "commands")
BOX_INCHES = (1.9, 0.85)
GAP_INCHES = (0.2, 0.55)
# What an arrow takes of a row that it passes through.
LANE_INCHES = 0.25
TEXT_LINES, LINE_CHARACTERS = 3, 28
INK, PAPER, LINE = "#1a1a1a", "#eef2f7", "#51606f"


@dataclass(frozen=True, slots=True)
class Lane:
    """A place in a row that the arrow from `importer` to `imported` passes through."""

    importer: str
    imported: str
    row: int


Cell = str | Lane


def package_texts(root: Path) -> dict[str, str]:
    """The name of each package below `root`, with its docstring's first sentence."""
    files = {f.parent.name: f for f in sorted(root.glob("*/__init__.py"))}
    files |= {name: root / f"{name}.py" for name in DOORS}
    return {name: _first_sentence(files[name]) for name in sorted(files)}


def import_graph(root: Path) -> Graph:
    """Which packages each package below `root` imports, itself left out."""
    names = package_texts(root).keys()
    graph: dict[str, frozenset[str]] = {}
    for name in names:
        files = [root / f"{name}.py"] if name in DOORS else sorted((root / name).rglob("*.py"))
        found = {part for file in files for part in _imported_parts(file, root.name)}
        graph[name] = frozenset(found & names) - {name}
    return graph


def description(graph: Graph, texts: Mapping[str, str]) -> str:
    """All that the figure shows, in words: one package a line."""
    return "\n".join(f"{name} ({texts[name]}): {', '.join(sorted(graph[name]))}" for name in graph)


def without_implied(graph: Graph) -> Graph:
    """The graph less the arrows that follow from others: its transitive reduction.

    Raises:
        graphlib.CycleError: packages import one another in a circle.
    """
    below: dict[str, frozenset[str]] = {}
    for name in TopologicalSorter(graph).static_order():
        below[name] = graph[name].union(*(below[n] for n in graph[name]))
    return {
        name: frozenset(n for n in imported if not any(n in below[o] for o in imported))
        for name, imported in graph.items()
    }


def rows_of(graph: Graph) -> list[list[Cell]]:
    """The boxes of each row, the highest first, with the lanes of arrows that pass through it."""
    depth = dict.fromkeys(graph, 0)
    for name in reversed(list(TopologicalSorter(graph).static_order())):
        for imported in graph[name]:
            depth[imported] = max(depth[imported], depth[name] + 1)
    rows: list[list[Cell]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in sorted(graph):
        rows[depth[name]].append(name)
        for imported in sorted(graph[name]):
            for row in range(depth[name] + 1, depth[imported]):
                rows[row].append(Lane(name, imported, row))
    return rows


def steps_of(graph: Graph, rows: list[list[Cell]]) -> Iterator[tuple[Cell, Cell]]:
    """Every piece of an arrow, from a cell to one in the next row."""
    row_of = {cell: i for i, row in enumerate(rows) for cell in row}
    for name, imported_names in graph.items():
        for imported in sorted(imported_names):
            lanes = [Lane(name, imported, r) for r in range(row_of[name] + 1, row_of[imported])]
            way: list[Cell] = [name, *lanes, imported]
            yield from pairwise(way)


def untangled(graph: Graph, rows: list[list[Cell]], sweeps: int = 24) -> list[list[Cell]]:
    """The rows, each ordered by where the neighbours of its cells stand (barycentre method).

    Of all orders seen the one with the fewest crossings is given.
    """
    steps = list(steps_of(graph, rows))
    best = rows
    for sweep in range(sweeps):
        downward = sweep % 2 == 0
        place = _places(rows)
        ordered = list(rows)
        for i in range(len(rows)) if downward else reversed(range(len(rows))):
            mean = {cell: _mean_place(cell, steps, place, downward) for cell in ordered[i]}
            ordered[i] = sorted(ordered[i], key=lambda cell: (mean[cell], place[cell]))
            place |= _places([ordered[i]])
        rows = ordered
        if _crossings(steps, rows) < _crossings(steps, best):
            best = rows
    return best


def draw(graph: Graph, texts: Mapping[str, str]) -> Figure:
    """The figure: boxes in rows, arrows from importers down to what they import."""
    reduced = without_implied(graph)
    rows = untangled(reduced, rows_of(reduced))
    widest = max(sum(_width(cell) for cell in row) for row in rows)
    height = len(rows) * (BOX_INCHES[1] + GAP_INCHES[1])
    figure = Figure(figsize=(widest + 2 * GAP_INCHES[0], height))
    FigureCanvasSVG(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(-figure.get_figwidth() / 2, figure.get_figwidth() / 2)
    axes.set_ylim(-height, 0)
    centres = _centres(rows)
    for upper, lower in steps_of(reduced, rows):
        _draw_step(axes, centres[upper], centres[lower], upper, lower)
    for name in graph:
        _draw_box(axes, centres[name], name, texts[name])
    return figure


def _first_sentence(file: Path) -> str:
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split())


def _imported_parts(file: Path, package: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (m.split(".")[1] for m in modules if m.startswith(f"{package}."))


def _places(rows: list[list[Cell]]) -> dict[Cell, float]:
    """Where each cell stands in its row, from 0 on the left to 1 on the right."""
    return {cell: (i + 0.5) / len(row) for row in rows for i, cell in enumerate(row)}


def _mean_place(
    cell: Cell, steps: list[tuple[Cell, Cell]], place: Mapping[Cell, float], downward: bool
) -> float:
    near = [a if downward else b for a, b in steps if (b if downward else a) == cell]
    return sum(place[n] for n in near) / len(near) if near else place[cell]


def _crossings(steps: list[tuple[Cell, Cell]], rows: list[list[Cell]]) -> int:
    place = _places(rows)
    count = 0
    for row in rows:
        here = set(row)
        ends = [(place[a], place[b]) for a, b in steps if a in here]
        count += sum((a - c) * (b - d) < 0 for a, b in ends for c, d in ends) // 2
    return count


def _width(cell: Cell) -> float:
    return LANE_INCHES if isinstance(cell, Lane) else BOX_INCHES[0] + GAP_INCHES[0]


def _centres(rows: list[list[Cell]]) -> dict[Cell, tuple[float, float]]:
    """The middle of every cell in inches; each row stands in the middle of the figure."""
    centres = {}
    for i, row in enumerate(rows):
        x = -sum(_width(cell) for cell in row) / 2
        for cell in row:
            y = -(i + 0.5) * (BOX_INCHES[1] + GAP_INCHES[1])
            centres[cell] = (x + _width(cell) / 2, y)
            x += _width(cell)
    return centres


def _draw_box(axes: Axes, centre: tuple[float, float], name: str, text: str) -> None:
    (x, y), (width, height) = centre, BOX_INCHES
    box = FancyBboxPatch(
        (x - width / 2, y - height / 2), width, height, "round,pad=0,rounding_size=0.08"
    )
    box.set(facecolor=PAPER, edgecolor=LINE, linewidth=1.0)
    axes.add_patch(box)
    axes.text(
        x, y + 0.28, name, color=INK, fontsize=11, fontweight="bold", ha="center", va="center"
    )
    lines = textwrap.wrap(
        text.rstrip(".").replace("`", ""), LINE_CHARACTERS, max_lines=TEXT_LINES, placeholder=" …"
    )
    axes.text(x, y - 0.1, "\n".join(lines), color=INK, fontsize=7.5, ha="center", va="center")


def _draw_step(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], upper: Cell, lower: Cell
) -> None:
    half = BOX_INCHES[1] / 2
    (x0, y0), (x1, y1) = (start[0], start[1] - half), (end[0], end[1] + half)
    bend = (y0 - y1) * 0.6
    vertices = [(x0, y0), (x0, y0 - bend), (x1, y1 + bend), (x1, y1)]
    codes = [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4]
    if isinstance(upper, Lane):
        vertices, codes = [(x0, start[1]), *vertices], [Curve.MOVETO, Curve.LINETO, *codes[1:]]
    if isinstance(lower, Lane):
        vertices, codes = [*vertices, (x1, end[1])], [*codes, Curve.LINETO]
    style = "-" if isinstance(lower, Lane) else "-|>,head_length=4,head_width=2"
    arrow = FancyArrowPatch(path=Curve(vertices, codes), arrowstyle=style)
    arrow.set(color=LINE, linewidth=1.0, fill=not isinstance(lower, Lane), zorder=0)
    axes.add_patch(arrow)


def main() -> None:
    parser = argparse.ArgumentParser(description="draws the import graph of dfsynth")
    parser.add_argument("figure", type=Path, help="SVG file to write")
    root = Path(__file__).resolve().parents[1] / "dfsynth"
    graph, texts = import_graph(root), package_texts(root)
    # Names of clip paths are random, and text is drawn as outlines, unless told otherwise.
    with mpl.rc_context({"svg.hashsalt": "dfsynth", "svg.fonttype": "none"}):
        about = {
            "Title": "Packages of dfsynth and what they import",
            "Description": description(graph, texts),
            "Creator": None,
            "Date": None,
        }
        draw(graph, texts).savefig(parser.parse_args().figure, metadata=about)


if __name__ == "__main__":
    main()
