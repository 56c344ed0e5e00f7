"""What tests of several folders share."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory) -> Path:
    """A checkpoint folder of a very small cascade with random weights, grid 32 × 32."""
    import torch

    from dfsynth.checkpoint import NETWORK, CascadeConfig, ModelCard
    from dfsynth.inference import save_checkpoint
    from dfsynth.models import Cascade
    from dfsynth.records import IntensityWindow

    config = CascadeConfig(stages=2, widths=(8, 16))
    torch.manual_seed(7)
    network = Cascade(config)
    card = ModelCard(
        name="tiny",
        network=NETWORK,
        arguments=config,
        grid=(32, 32),
        intensity=IntensityWindow(),
        unit="1",
        window=(0.0, 1.0),
        license="Apache-2.0",
        intended_use="tests",
        limits="random weights",
        training_data=(),
    )
    folder = tmp_path_factory.mktemp("checkpoint") / "tiny"
    save_checkpoint(folder, network, card)
    return folder


@pytest.fixture
def run_cli(capfd) -> Callable[..., tuple[int, str, str]]:
    """Runs a dfsynth command in this process; gives exit status, stdout and stderr."""
    from dfsynth.cli import app

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            app([str(a) for a in arguments])
            status = 0
        except SystemExit as ended:
            status = int(ended.code or 0)
        out, err = capfd.readouterr()
        return status, out, err

    return run


@pytest.fixture
def start_child() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts a Python process on a source text or file; lines both ways through pipes."""
    children: list[subprocess.Popen[str]] = []

    def start(program: str | Path, *arguments: object) -> "subprocess.Popen[str]":
        command = [str(program)] if isinstance(program, Path) else ["-c", program]
        child = subprocess.Popen(
            [sys.executable, *command, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()
