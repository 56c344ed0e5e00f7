"""Every example runs."""

import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
import yaml
from typer.core import TyperGroup
from typer.main import get_command

import dfsynth
from dfsynth.cli import app
from dfsynth.resources import data_folder

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def run_example(monkeypatch, capfd) -> Callable[..., str]:
    """Runs an example as `python examples/NAME ARGUMENTS` does; gives what it prints."""

    def run(name: str, *arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capfd.readouterr().out

    return run


@pytest.mark.slow
def test_demo(run_example, tmp_path):
    printed = run_example("demo.py", tmp_path)
    image = cv2.imread(str(tmp_path / "demo.png"))
    assert str(tmp_path / "demo.png") in printed
    assert image is not None
    assert image.std() > 20, "the contact sheet is not blank"


def test_filter_and_load(run_example, tiny_checkpoint, tmp_path):
    samples = data_folder("samples") / "samples.csv"
    dfsynth.build(samples, tmp_path / "x.zarr", checkpoint=str(tiny_checkpoint), mc_samples=3)
    printed = run_example("filter_and_load.py", tmp_path / "x.zarr")
    assert "not for diagnosis" in printed
    assert "of 8 images kept" in printed


def test_generate_arrays(run_example):
    assert "dark-field (1, 256, 256)" in run_example("generate_arrays.py")


def test_simulate_pairs(run_example, tmp_path):
    printed = run_example("simulate_pairs.py", tmp_path / "pairs.zarr")
    assert "not for diagnosis" in printed
    assert "mean dark-field in the lung" in printed


@pytest.mark.slow
def test_train_and_evaluate(run_example, tmp_path):
    printed = run_example("train_and_evaluate.py", tmp_path)
    assert "not for diagnosis" in printed
    assert "intervals cover" in printed
    image = cv2.imread(str(tmp_path / "evaluation" / "evaluation.png"))
    assert image is not None
    assert image.std() > 20


@pytest.mark.slow
def test_restore_slices(run_example, tmp_path):
    printed = run_example("restore_slices.py", tmp_path)
    assert "not for diagnosis" in printed
    assert printed.count("1/m restored") == 2


def test_every_example_is_run_here():
    tested = Path(__file__).read_text()
    assert all(path.name in tested for path in EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.sh")), ids=lambda path: path.name)
def test_shell_scripts_parse(script):
    subprocess.run(["bash", "-n", script], check=True)


def test_the_job_for_kubernetes_parses():
    job = yaml.safe_load((EXAMPLES / "kubernetes_ray.yaml").read_text())
    cluster = job["spec"]["rayClusterSpec"]
    (workers,) = cluster["workerGroupSpecs"]
    command = shlex.split(job["spec"]["entrypoint"])
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    assert command[command.index("--ray-workers") + 1] == str(workers["replicas"])
    images = {
        container["image"]
        for group in (cluster["headGroupSpec"], workers)
        for container in group["template"]["spec"]["containers"]
    }
    assert len(images) == 1, "all machines run the same code"


@pytest.mark.parametrize(
    "name", ["kubernetes_ray.yaml", "slurm_array.sh", "slurm_ray.sh"], ids=lambda name: name
)
def test_options_in_examples_for_clusters_are_those_of_build(name):
    commands = get_command(app)
    assert isinstance(commands, TyperGroup)
    options = {text for parameter in commands.commands["build"].params for text in parameter.opts}
    text = (EXAMPLES / name).read_text().replace("\\\n", " ")
    (command,) = [line for line in text.splitlines() if re.search(r"dfsynth build --source", line)]
    start = text.index(command) + command.index("dfsynth build")
    used = re.findall(r"--[a-z-]+", text[start:].split("shutdownAfterJobFinishes")[0])
    assert used
    assert set(used) <= options
