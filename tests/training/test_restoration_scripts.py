"""Tables of restored pictures; and what their scripts train on and test is apart."""

import csv
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import cv2
import numpy as np
import pytest
from listed_radiographs import list_radiographs
from paper_methods import Budget
from restoration_looks import tabulate_in_one_look
from restoration_lungs import deal_radiographs
from restoration_measures import DISTANCE, FIGURES, Measured, Row, Unrestored
from restoration_pairs import make_stores
from restoration_realism import Shown
from restoration_report import by_patient, recovery, tabulate_restoration, tabulate_settings
from restoration_study import NETWORKS, Fit, Study
from restoration_table import settings_of

from dfsynth.datasets import PairImages
from dfsynth.errors import UsageError
from dfsynth.records import AS_THE_CARD_SAYS, SamplerChoice
from dfsynth.simulation.restoration.plain_look import standardise_look
from dfsynth.train import read_recipe, recipe_path

BASELINE = "diffusion, bicubic"
WHOLE = (slice(0, 32), slice(0, 32))


def measured(psnr: Sequence[float], contrast: float = 0.5, seconds: float = 1.0) -> Measured:
    """Two images of each patient."""
    images: list[Row] = [
        {
            **{"key": f"{n}", "patient_id": f"p{n // 2}", DISTANCE: 3.0},
            **dict.fromkeys(FIGURES, 0.5),
            "psnr": value,
        }
        for n, value in enumerate(psnr)
    ]
    nodules: list[Row] = [
        {
            **{"patient_id": f"p{n}", "diameter_mm": 5.0 + 10 * n},
            **{"contrast": contrast * (n + 1), "cnr": 2.0, "truth": n + 1.0},
        }
        for n in range(2)
    ]
    return Measured(images, nodules, seconds)


FOUND = {
    "input": measured([20, 22, 24, 26]),
    BASELINE: measured([25, 25, 26, 26]),
    "diffusion, munit": measured([27, 27, 28, 28], contrast=0.9),
}


def test_differences_from_the_baseline_are_paired() -> None:
    text = "\n".join(tabulate_restoration(FOUND, BASELINE))
    assert "| diffusion, munit | +2.00 (+2.00 to +2.00)" in text
    assert "| input | -2.50" in text
    assert f"| {BASELINE} | 25.50 (25.00 to 26.00)" in text
    assert "under 8 mm (1)" in text
    assert "0.90" in text


def test_in_one_look_greys_are_no_difference() -> None:
    rng = np.random.default_rng(0)
    truths = [standardise_look(rng.random((32, 32), np.float32), WHOLE) for _ in range(4)]
    pairs = [PairImages(truth, truth) for truth in truths]
    noisy = np.stack(truths) + rng.normal(0, 0.1, (4, 32, 32)).astype(np.float32)
    means = {BASELINE: noisy, "dark": np.stack(truths) ** 2}
    text = tabulate_in_one_look(means, pairs, ["a", "a", "b", "b"], BASELINE)
    _, _, first, second = text.splitlines()
    assert first.startswith(f"| {BASELINE} | ")
    assert first.endswith("|  |  |")
    cells = second.split(" | ")
    assert float(cells[1].split()[0]) > 28
    assert float(cells[2].split()[0]) > 0.99
    assert cells[4].startswith("+")
    alone = tabulate_in_one_look({"dark": means["dark"]}, pairs, ["a", "a", "b", "b"], BASELINE)
    assert alone.splitlines()[2].endswith("|  |  |")


def test_without_nodules_or_baseline_there_is_a_table_all_the_same() -> None:
    alone = {"input": replace(FOUND["input"], nodules=[])}
    assert len(tabulate_restoration(alone, BASELINE)) == 1


def test_recovery_is_the_slope_and_what_is_not_defined_is_left_out() -> None:
    assert recovery(FOUND["diffusion, munit"].nodules).value == pytest.approx(0.9)
    rows: list[Row] = [{"patient_id": "a", "psnr": None}, {"patient_id": "b", "psnr": 3.0}]
    assert by_patient(rows, "psnr") == {"b": 3.0}


def test_few_steps_stand_beside_many_with_their_rate() -> None:
    settings = {"ddim, 50": measured([30, 30], seconds=5.0), "ddim, 4": measured([29.8, 29.8])}
    text = tabulate_settings({BASELINE: settings})
    assert "-0.20" in text
    assert "| 1.00 | 5.0 |" in text


@pytest.mark.parametrize("network", NETWORKS)
def test_networks_start_from_the_input_as_their_recipes_say(network: str) -> None:
    """They drew whole images once the comparison of methods had a residual of its own."""
    place = SimpleNamespace(budget=Budget(steps=8), rate=1e-3)
    recipe = Study.recipe(cast(Study, SimpleNamespace(place=place)), Fit("drr", network))
    own = read_recipe(recipe_path(NETWORKS[network].recipe))
    assert asdict(recipe.network)["residual"] == asdict(own.network)["residual"] == 0.25
    assert recipe.augmentation == own.augmentation
    assert recipe.phase[0].steps == 8


def test_a_network_without_noise_is_asked_for_no_sampler() -> None:
    setting = settings_of(Fit("drr", "mean"), 4)[0]
    assert setting.choice == AS_THE_CARD_SAYS
    assert (setting.name, setting.slug) == ("4 samples", "dropout-1x4")
    assert settings_of(Fit("drr", "flow"), 4)[0].choice == SamplerChoice("euler", 50)


def test_what_is_not_restored_is_as_it_was_or_without_fine_detail() -> None:
    rng = np.random.default_rng(0)
    images = rng.random((2, 16, 16), np.float32)
    (same,), (enlarged,) = (Unrestored(enlarged=e).stages(images) for e in (False, True))
    assert np.array_equal(same.mean, images)
    assert enlarged.mean.shape == images.shape
    assert enlarged.mean.std() < 0.7 * images.std()


def test_pairs_that_are_not_there_are_named(tmp_path: Path) -> None:
    given = Namespace(
        **{"out": tmp_path, "pairs": [], "test": None, "degraders": ["drr"], "n": 4, "test_n": 4},
        **{"cxr": None, "ct": None, "test_ct": None},
    )
    with pytest.raises(UsageError, match="expected --cxr, --ct or --pairs"):
        make_stores(given, 64, make=True)
    given.pairs = [f"mine={tmp_path}/mine.zarr"]
    with pytest.raises(UsageError, match=r"test-64\.zarr is not there yet"):
        make_stores(given, 64, make=False)
    given.test = tmp_path / "other.zarr"
    stores = make_stores(given, 64, make=False)
    assert stores.train == {"mine": tmp_path / "mine.zarr"}


def test_masks_that_are_not_free_or_drawn_behind_the_heart_are_tested_alone(
    tmp_path: Path,
) -> None:
    free, restricted = "NLM (cite and acknowledge)", "CC BY-NC-SA 4.0"
    lines = [(f"montgomery_{n}", free) for n in range(12)]
    lines += [(f"shenzhen_{n}", restricted) for n in range(3)]
    for folder, column, named in (
        ("cxr-masks", "mask", lines),
        ("cxr", "lung_mask", [("hannover_0", "CC BY 3.0")]),
    ):
        (tmp_path / folder).mkdir()
        with (tmp_path / folder / "labels.csv").open("w", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(["file", "patient_id", "source", "license", column])
            for name, licence in named:
                picture = np.full((8, 8), 255, np.uint8)
                cv2.imwrite(str(tmp_path / folder / f"{name}.png"), picture)
                rows.writerow([f"{name}.png", name, "any", licence, f"{name}.png"])
    trained, tested = deal_radiographs(list_radiographs(tmp_path))
    assert {entry.source for entry in trained} == {"montgomery"}
    assert {entry.source for entry in tested} == {"montgomery", "shenzhen", "hannover"}
    assert len(trained) + len(tested) == 16
    assert not {e.patient_id for e in trained} & {e.patient_id for e in tested}
    assert all((entry.labels == 1).all() for entry in trained if entry.labels is not None)


def test_pictures_get_the_brightness_of_an_archive_and_keep_black_and_white() -> None:
    from radiographs import LabelledImage

    rng = np.random.default_rng(0)

    def collection(source: str, values: np.ndarray) -> Shown:
        entries = [
            LabelledImage(f"{source}{n}", f"p{n}", source, pixels.astype(np.float32))
            for n, pixels in enumerate(values)
        ]
        return Shown.choose(entries, 8, rng)

    dark = collection("dark", rng.gamma(2, 20, (6, 32, 32)))
    bright = collection("bright", 255 - rng.gamma(3, 15, (9, 32, 32)))
    assert len(bright.images) == 8
    shown = dark.like(bright.images)
    assert abs(shown.images.mean() - bright.images.images.mean()) < 1
    order = np.argsort(dark.grey[0], axis=None)
    assert (np.diff(shown.images[0].ravel()[order].astype(int)) >= 0).all()
    assert np.array_equal(shown.names, dark.images.names)
    for end, grey in ((0, 0.0), (255, 1.0)):
        there = dark.grey == grey
        assert there.any()
        assert (shown.images[there] == end).all()
