"""What tests of several folders share."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Before torch is loaded, here and in child processes. Its threads wait for each other after every
# layer, and for a time slice each time where other processes are busy: small networks then take
# twenty times as long as in one thread. Sums would depend on their number, too.
os.environ["OMP_NUM_THREADS"] = "1"

# How fast the machine is decides nothing.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory) -> Path:
    """A checkpoint folder of a very small cascade with random weights, grid 32 × 32."""
    import torch
    from small_cards import small_card

    from dfsynth.checkpoint import CascadeConfig
    from dfsynth.inference import save_checkpoint
    from dfsynth.models import Cascade

    config = CascadeConfig(stages=2, widths=(8, 16))
    torch.manual_seed(7)
    network = Cascade(config)
    card = small_card(config, name="tiny", grid=(32, 32))
    folder = tmp_path_factory.mktemp("checkpoint") / "tiny"
    save_checkpoint(folder, network, card)
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The whole collection of real files."""
    folder = os.environ.get("DFSYNTH_SHARED_DATA")
    if not folder:
        pytest.skip("DFSYNTH_SHARED_DATA does not point to the collection of real files")
    return Path(folder)


@pytest.fixture
def run_cli(capfd) -> Callable[..., tuple[int, str, str]]:
    """Runs a dfsynth command in this process; gives exit status, stdout and stderr.

    With `--json`, what it prints must fit the published schema.
    """
    from documents import require_document

    from dfsynth.cli import app

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            app([str(a) for a in arguments])
            status = 0
        except SystemExit as ended:
            status = int(ended.code or 0)
        out, err = capfd.readouterr()
        if out and "--json" in arguments:
            require_document(out)
        return status, out, err

    return run


@pytest.fixture
def start_child() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts a Python process on a source text or file; lines both ways through pipes.

    None outlives the test, whatever becomes of it: a process that is left over would be found
    much later, and fail another test.
    """
    children: list[subprocess.Popen[str]] = []

    def start(
        program: str | Path, *arguments: object, **environment: str
    ) -> "subprocess.Popen[str]":
        command = [str(program)] if isinstance(program, Path) else ["-c", program]
        path = os.pathsep.join(filter(None, sys.path))
        child = subprocess.Popen(
            [sys.executable, *command, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path, **environment},
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks as `torch` what takes the network: scripts/other_pythons.py leaves it out."""
    for item in items:
        if "tiny_checkpoint" in getattr(item, "fixturenames", ()):
            item.add_marker("torch")
