"""Shells complete commands, options and values, at once."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from radiograph_files import write_folder
from toy_generator import ToyMaker

from dfsynth.cli import app
from dfsynth.cli.completion import complete_corpus, complete_network, complete_recipe, some_of
from dfsynth.jobs.build import run_build
from dfsynth.jobs.export import EXPORTERS
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.resources import data_folder
from dfsynth.source import known_corpora
from dfsynth.store.opened import open_store

Complete = Callable[..., list[str]]
HEAVY = {"torch", "cv2", "duckdb", "zarr", "h5py"}
BASH = """
source <(dfsynth --show-completion)
COMP_WORDS=(dfsynth build --source ni); COMP_CWORD=3
_dfsynth_completion dfsynth
echo "${COMPREPLY[@]}"
complete -p dfsynth
"""
FISH = """
dfsynth --show-completion | source
complete --do-complete "dfsynth build --source ni"
"""


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Complete:
    """What a shell is told where Tab is pressed behind a text, as fish asks for it."""

    def run(typed: object) -> list[str]:
        monkeypatch.setenv("_DFSYNTH_COMPLETE", "complete_fish")
        monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", f"dfsynth {typed}")
        with pytest.raises(SystemExit):
            app([], prog_name="dfsynth")
        out, err = capfd.readouterr()
        assert not err
        return [line.partition("\t")[0] for line in out.splitlines() if line]

    return run


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    source = str(write_folder(folder / "images", 2))
    run_build(BuildOptions(source=source, out=folder / "x.zarr"), ToyMaker(), Silent())
    return folder / "x.zarr"


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program `dfsynth` on the path, as an installation has it."""
    program = tmp_path / "bin" / "dfsynth"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom dfsynth.cli import main\nmain()\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))


def test_values_are_completed(complete: Complete) -> None:
    assert complete("build --source ni") == ["nih"]
    assert complete("build --checkpoint def") == ["default"]
    assert "lung-reader" not in complete("evaluate ")
    assert "lung-reader" in complete("models ")
    assert complete("train compact-2") == ["compact-256"]
    assert complete("sources show jsr") == ["jsrt"]
    assert complete("build --precision ") == ["auto", "fp32", "bf16", "fp16"]
    assert complete("export x.zarr --to ") == list(EXPORTERS)
    assert complete("fil") == ["filter"]
    assert "--source" in complete("build --so")


def test_all_that_is_packaged_is_offered() -> None:
    assert [name for name, _ in complete_corpus("")] == [c.name for c in known_corpora()]
    recipes = {path.stem for path in data_folder("recipes").glob("*.toml")}
    assert set(complete_recipe("")) == recipes
    assert set(complete_network("")) == {p.name for p in data_folder("checkpoints").iterdir()}
    assert complete_corpus("*") == complete_corpus("../") == []


@pytest.mark.parametrize("before", ["filter {} --by", "filter --keep 0.5 {} --by", "show {} --by"])
def test_columns_with_numbers_are_those_of_the_store(
    complete: Complete, store: Path, before: str
) -> None:
    found = complete(f"{before.format(store)} ")
    kinds = {field.name: str(field.type) for field in open_store(store).manifest.schema}
    assert set(found) == {name for name, kind in kinds.items() if kind[:3] in {"int", "flo"}}
    assert complete(f"{before.format(store)} dark_field_l") == ["dark_field_lung_mean"]


def test_the_last_word_of_a_predicate_is_a_column(complete: Complete, store: Path) -> None:
    typed = f"filter {store} --where 'lung_fraction > 0.1 and vi"
    assert complete(typed) == ["lung_fraction > 0.1 and view"]
    assert set(complete(f"filter {store} --where ")) == set(open_store(store).manifest.column_names)


@pytest.mark.parametrize("content", [None, b"no Parquet"])
def test_a_store_that_cannot_be_read_completes_nothing(
    complete: Complete, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "x.zarr" / "manifest").mkdir(parents=True)
        (tmp_path / "x.zarr" / "manifest" / "part-0000000.parquet").write_bytes(content)
    assert complete(f"filter {tmp_path / 'x.zarr'} --by un") == []


def test_each_of_a_list_is_offered_once() -> None:
    complete_maps = some_of(("dark_field", "aleatoric", "lung"))
    assert complete_maps("") == ["dark_field", "aleatoric", "lung"]
    assert complete_maps("dark_field,") == ["dark_field,aleatoric", "dark_field,lung"]
    assert complete_maps("dark_field,al") == ["dark_field,aleatoric"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_three_shells_are_answered(command: None, shell: str) -> None:
    asked = {
        "_DFSYNTH_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": "dfsynth build --source ni",
        "COMP_WORDS": "dfsynth build --source ni",
        "COMP_CWORD": "3",
    }
    done = subprocess.run(
        ["dfsynth"], capture_output=True, text=True, env={**os.environ, **asked}, check=True
    )
    assert "nih" in done.stdout
    assert "padchest" not in done.stdout


@pytest.mark.parametrize(
    ("shell", "script"),
    [(s, text) for s, text in (("bash", BASH), ("fish", FISH)) if shutil.which(s)],
)
def test_what_is_shown_works_in_the_shell(command: None, shell: str, script: str) -> None:
    done = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == "nih", done.stderr


@pytest.mark.parametrize(
    "typed", ["build --source n", "train c", "models ", "filter x.zarr --by un", "bui"]
)
def test_it_answers_without_the_heavy_libraries(typed: str) -> None:
    program = (
        "import atexit, sys\n"
        "names = lambda: print('loaded', *sorted({m.split('.')[0] for m in sys.modules}))\n"
        "atexit.register(names)\n"
        "from dfsynth.cli import app; app([], prog_name='dfsynth')"
    )
    asked = {
        "_DFSYNTH_COMPLETE": "complete_zsh",
        "_TYPER_COMPLETE_ARGS": f"dfsynth {typed}",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, **asked},
        check=True,
    )
    loaded = done.stdout.splitlines()[-1].split()
    assert loaded[0] == "loaded"
    assert not HEAVY & set(loaded)
