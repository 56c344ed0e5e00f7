"""The figure of the architecture is of today's packages, and its arrows point down."""

import xml.etree.ElementTree as ET
from graphlib import CycleError
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from draw_architecture import (
    Lane,
    description,
    import_graph,
    package_texts,
    rows_of,
    steps_of,
    untangled,
    without_implied,
)
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
FIGURE = ROOT / "docs" / "images" / "architecture.svg"
PACKAGE = ROOT / "dfsynth"


@st.composite
def graphs(draw):
    """Import graphs without a circle: each name imports some of those after it."""
    names = [chr(ord("a") + i) for i in range(draw(st.integers(1, 8)))]
    arrows = draw(st.sets(st.sampled_from(list(combinations(names, 2))))) if names[1:] else set()
    return {name: frozenset(b for a, b in arrows if a == name) for name in names}


def reachable(graph, name):
    return graph[name].union(*(reachable(graph, other) for other in graph[name]))


def test_the_committed_figure_shows_todays_imports():
    (kept,) = ET.parse(FIGURE).iter("{http://purl.org/dc/elements/1.1/}description")
    today = description(import_graph(PACKAGE), package_texts(PACKAGE))
    assert kept.text == today, "run make figures"


def test_imports_inside_functions_and_of_submodules_count(tmp_path):
    package = tmp_path / "dfsynth"
    for name, text in {
        "low": "",
        "middle": "from dfsynth.low.part import thing",
        "high": "def late():\n    import dfsynth.middle.part\n    from dfsynth import low",
    }.items():
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").write_text('"""What it is.\n\nMore."""\n')
        (package / name / "part.py").write_text(text)
    (package / "api.py").write_text('"""The door."""\nfrom dfsynth import commands')
    (package / "commands.py").write_text('"""Behind it."""\nfrom dfsynth.high import part')
    assert import_graph(package) == {
        "api": {"commands"},
        "commands": {"high"},
        "high": {"middle", "low"},
        "low": set(),
        "middle": {"low"},
    }
    assert package_texts(package)["high"] == "What it is."


@given(graphs())
def test_only_arrows_that_follow_from_others_are_left_out(graph):
    reduced = without_implied(graph)
    for name in graph:
        assert reachable(reduced, name) == reachable(graph, name)
        for imported in reduced[name]:
            assert not any(imported in reachable(graph, n) for n in reduced[name] - {imported})


@given(graphs())
def test_arrows_go_down_one_row_at_a_time_and_no_cell_is_lost(graph):
    rows = rows_of(graph)
    ordered = untangled(graph, rows)
    assert [set(row) for row in ordered] == [set(row) for row in rows]
    row_of = {cell: i for i, row in enumerate(ordered) for cell in row}
    steps = list(steps_of(graph, ordered))
    assert all(row_of[lower] == row_of[upper] + 1 for upper, lower in steps)
    assert {cell for cell in row_of if not isinstance(cell, Lane)} == graph.keys()


def test_crossed_arrows_are_untangled():
    graph = {"a": frozenset("z"), "b": frozenset("y"), "y": frozenset(), "z": frozenset()}
    (upper, lower) = untangled(graph, rows_of(graph))
    assert [next(iter(graph[str(cell)])) for cell in upper] == lower


def test_a_circle_of_imports_is_refused():
    ring = dict(pairwise("abca"))
    with pytest.raises(CycleError):
        without_implied({name: frozenset(imported) for name, imported in ring.items()})
