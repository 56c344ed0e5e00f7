"""How many threads torch takes for a batch: values do not depend on it, nor do other threads."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from dfsynth.inference import SideBySide, side_by_side, torch_threads
from dfsynth.jobs.checkpoint_generator import CheckpointMaker
from dfsynth.options import BuildOptions
from dfsynth.preprocess import letterbox
from dfsynth.records import ModelInput


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def number_elsewhere() -> int:
    """What torch takes in a thread that is new to it."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.parametrize(
    ("device", "grid", "expected"),
    [
        ("cpu", (256, 256), SideBySide(6, 1)),
        ("cpu", (512, 512), SideBySide(6, 1)),
        ("cpu", (1024, 1024), SideBySide(1, 6)),
        ("cuda", (256, 256), SideBySide(1, 6)),
    ],
)
@pytest.mark.usefixtures("threads")
def test_small_batches_share_out_the_threads(
    device: str, grid: tuple[int, int], expected: SideBySide
) -> None:
    torch.set_num_threads(6)
    assert side_by_side(torch.device(device), grid) == expected


@pytest.mark.usefixtures("threads")
def test_no_more_batches_than_memory_is_likely_to_hold() -> None:
    torch.set_num_threads(64)
    assert side_by_side(torch.device("cpu"), (256, 256)) == SideBySide(16, 4)


@pytest.mark.usefixtures("threads")
def test_the_number_is_the_calling_threads_alone() -> None:
    torch.set_num_threads(3)
    inside, leave = threading.Event(), threading.Event()
    seen: list[int] = []

    def work() -> None:
        with torch_threads(1):
            seen.append(torch.get_num_threads())
            inside.set()
            leave.wait()
        seen.append(torch.get_num_threads())

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()
    assert torch.get_num_threads() == 3
    with torch_threads(1):
        assert torch.get_num_threads() == 1
    assert (torch.get_num_threads(), number_elsewhere()) == (3, 3)
    leave.set()
    thread.join()
    assert seen == [1, 3]
    assert (torch.get_num_threads(), number_elsewhere()) == (3, 3)


@pytest.mark.usefixtures("threads")
def test_a_thread_that_is_new_to_torch_goes_back_to_the_usual_number() -> None:
    torch.set_num_threads(3)
    after: list[int] = []

    def work() -> None:
        with torch_threads(1):
            pass
        after.append(torch.get_num_threads())

    with torch_threads(1):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert after == [3]
    assert torch.get_num_threads() == 3


@pytest.mark.usefixtures("threads")
def test_maps_are_the_same_whatever_number_of_threads_torch_has(tiny_checkpoint: Path) -> None:
    image = np.random.default_rng(5).random((64, 64), np.float32)
    given = ModelInput(image, letterbox(image.shape, image.shape), None, ())
    options = BuildOptions.of(source="a", out="x.zarr", checkpoint=str(tiny_checkpoint))
    found = []
    for number in (1, 2, 3):
        torch.set_num_threads(number)
        generator = CheckpointMaker(options).make("fp32", (64, 64))
        assert generator.at_once == number
        found.append(generator.generate([given] * 2, ["a", "b"]))
        assert torch.get_num_threads() == number
    for made in found[1:]:
        for one, other in zip(made, found[0], strict=True):
            np.testing.assert_array_equal(one.mean, other.mean)
            np.testing.assert_array_equal(one.epistemic, other.epistemic)
