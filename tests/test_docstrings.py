"""Docstrings say shapes, errors and units, and the examples of the public interface run."""

import doctest
import importlib.util
import inspect
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import dfsynth
from dfsynth.resources import data_folder

ROOT = Path(__file__).parents[1]
FLOORS = {"docstring": 0.97, "shape": 0.9, "raises": 0.95, "unit": 0.95}
# In the order in which one makes what the next one reads.
EXAMPLES = (
    "build",
    "draw_contact_sheet",
    "write_report",
    "open_store",
    "Store",
    "export",
    "filter_store",
    "simulate_pairs",
    "train_generator",
    "join_members",
    "evaluate_checkpoint",
    "load_generator",
    "generate",
)
RECIPE = """
name = "example"
size = 64
batch = 2
[network]
stages = 1
widths = [8, 16]
[validation]
every_steps = 4
[[phase]]
name = "one"
stages = [1]
steps = 4
learning_rate = 1e-3
"""


@pytest.fixture(scope="module")
def measuring() -> ModuleType:
    path = ROOT / "scripts" / "measure_docstrings.py"
    spec = importlib.util.spec_from_file_location("measure_docstrings", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_docstrings_say_what_a_caller_needs(measuring):
    items = measuring.measure()
    for name, (there, total) in measuring.shares(items).items():
        missing = [i.where for i in items if i.measure == name and not i.there]
        assert there / total >= FLOORS[name], (name, missing)


def test_what_is_missing_is_seen(measuring, tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "module.py").write_text(
        "def f(image: NDArray, length: float) -> None:\n    raise ValueError\n"
        'def g(image: NDArray, length_mm: float) -> None:\n    """Of (y, x).\n\n    Raises:\n'
        '        ValueError: always.\n    """\n    raise ValueError\n'
    )
    found = {(i.measure, i.there) for i in measuring.measure(package)}
    assert found == {(m, t) for m in FLOORS for t in (True, False)}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A working folder with `radiographs/` and `recipe.toml`."""
    (tmp_path / "radiographs").mkdir()
    for image in sorted(data_folder("samples").glob("nih_*.png"))[:2]:
        shutil.copy(image, tmp_path / "radiographs")
    (tmp_path / "recipe.toml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_examples_of_the_public_interface_run(folder, capsys):
    public = {name for name in dfsynth.__all__ if not name.startswith("__")}
    assert set(EXAMPLES) == public
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner(verbose=False)
    for name in EXAMPLES:
        entry = getattr(dfsynth, name)
        names = {"dfsynth": dfsynth, "np": np}
        (test,) = finder.find(entry, name, module=inspect.getmodule(entry), globs=names)
        assert test.examples, f"dfsynth.{name} has no example"
        failed = runner.run(test).failed
        assert not failed, capsys.readouterr().out
