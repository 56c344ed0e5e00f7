"""The table of samplers: every setting that there is, each against the truth and the first."""

from pathlib import Path

import numpy as np
import pytest
from pair_files import write_pair_folders
from samplers import as_table, compare, possible_settings, read_pairs
from small_cards import small_card

from dfsynth.checkpoint import CascadeConfig, CheckpointFiles, DiffusionConfig, FlowConfig
from dfsynth.datasets import open_pairs
from dfsynth.errors import UsageError
from dfsynth.inference import MapBatch
from dfsynth.tasks import DEFAULT_TASK, task_named


def files_of(config: CascadeConfig | DiffusionConfig | FlowConfig) -> CheckpointFiles:
    network = "upgan-compact" if isinstance(config, CascadeConfig) else config.name
    return CheckpointFiles(Path(), small_card(config, network=network), b"", "")


def test_every_setting_that_there_is_comes_after_the_reference() -> None:
    found = possible_settings(files_of(DiffusionConfig()), (50, 10, 3), None)
    assert [(each.sampler, each.steps) for each in found] == [
        ("ddim", 50),
        ("ddim", 10),
        ("ancestral", 50),
        ("ancestral", 10),
        ("dpm-solver", 50),
        ("dpm-solver", 10),
        ("dpm-solver", 3),
    ]
    flow = possible_settings(files_of(FlowConfig()), (4, 1), None)
    assert [(each.sampler, each.steps) for each in flow] == [
        ("euler", 50),
        ("euler", 4),
        ("euler", 1),
        ("midpoint", 4),
    ]
    with pytest.raises(UsageError, match="draws no samples"):
        possible_settings(files_of(CascadeConfig()), (4,), None)
    with pytest.raises(UsageError, match="expected no guidance"):
        possible_settings(files_of(FlowConfig()), (4,), 1.0)


class Constant:
    """Stands for a generator: the target of every pair is unknown to it, a constant is not."""

    def __init__(self, value: float) -> None:
        self.value = value

    def auto_batch_size(self, _: tuple[int, int]) -> int:
        return 2

    def __call__(self, images: np.ndarray, _: list[str]) -> MapBatch:
        mean = np.full(images.shape, self.value, np.float32)
        return MapBatch(mean, mean, mean, None, None)


def test_rows_are_of_truth_reference_and_time(tmp_path: Path) -> None:
    inputs, targets = write_pair_folders(tmp_path, 3)
    card = small_card(FlowConfig())
    source = open_pairs(inputs, targets, 16, card.window, card.intensity, task_named(DEFAULT_TASK))
    pairs = read_pairs(source, "all", 3)
    settings = possible_settings(files_of(FlowConfig()), (4,), None)[:2]
    rows = compare(settings, [Constant(0.0), Constant(0.5)], pairs, (0.0, 2.0), 2)  # type: ignore[list-item]
    assert [row.distance for row in rows] == [0.0, 0.25]
    truths = [pair.target[pair.content] for _, pair in pairs]
    wanted = np.mean([10 * np.log10(4 / np.square(truth).mean()) for truth in truths])
    assert rows[0].psnr == pytest.approx(wanted, rel=1e-4)
    assert all(row.images_per_s > 0 for row in rows)
    table = as_table(rows).splitlines()
    assert len(table) == 4
    assert table[2].startswith(f"| euler | 50 | {wanted:.2f} | +0.00 |")
