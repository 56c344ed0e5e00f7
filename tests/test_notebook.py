"""In a real notebook, jobs show how far they are, and stores and images show their pictures."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from radiograph_files import write_folder

from dfsynth.notebook import NotebookMeter, job_progress, training_progress
from dfsynth.progress import Silent, SilentTraining, Told

CELLS = (
    "import sys; sys.path[:0] = {path!r}",
    "import dfsynth; how = dict(checkpoint={checkpoint!r}, mc_samples=2)",
    "report = dfsynth.build('radiographs', 'x.zarr', **how)",
    "dfsynth.build('radiographs', 'y.zarr', progress=None, **how)",
    "store = dfsynth.open_store('x.zarr'); store",
    "store.row(0)",
    "dfsynth.generate('radiographs/part0/image0000.png', **how)",
)


def run(folder: Path, **values: Any) -> list[list[Any]]:
    """The outputs of each cell, run by a kernel of this Python in `folder`."""
    cells = [nbformat.v4.new_code_cell(cell.format(**values)) for cell in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}).execute()
    return [cell["outputs"] for cell in notebook.cells]


def html_of(outputs: list[Any]) -> str:
    return "".join(str(out["data"].get("text/html", "")) for out in outputs if "data" in out)


@pytest.mark.slow
def test_a_notebook_shows_bars_and_pictures(tmp_path, tiny_checkpoint):
    import sys

    write_folder(tmp_path / "radiographs", 3)
    path = [entry for entry in sys.path if entry]
    outputs = run(tmp_path, checkpoint=str(tiny_checkpoint), path=path)
    assert not [out for cell in outputs for out in cell if out["output_type"] == "error"]
    built, silent, store, row, image = outputs[2:]
    bar = re.sub(r"<[^>]*>", "", html_of(built))
    assert "images" in bar
    assert "3/3" in bar
    assert "0 failed" in bar
    assert "grid 32x32" in "".join(out.get("text", "") for out in built)
    assert [out["output_type"] for out in silent] == ["execute_result"]
    assert "Store x.zarr" in html_of(store)
    assert html_of(row).count("<figure") == html_of(image).count("<figure") == 4
    assert "StoredRow 0" in row[0]["data"]["text/plain"]


def test_elsewhere_nothing_is_shown_unless_somebody_listens():
    assert isinstance(job_progress("auto"), Silent)
    assert isinstance(job_progress(None), Silent)
    assert isinstance(training_progress("auto"), SilentTraining)
    assert isinstance(training_progress(None), SilentTraining)
    told = Told()
    assert job_progress(told) is told


def test_messages_are_harmless_and_nothing_to_do_shows_no_bar(capsys):
    meter = NotebookMeter("images")
    meter.start(0, 0)
    meter.update(0, "0 failed")
    meter.message("\x1b[31mred")
    assert capsys.readouterr().out == "\\u001b[31mred\n"
