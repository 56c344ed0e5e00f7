"""Examples: one row a picture, in order, with the truth about what the generator made of it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from drawn_networks import drawn_cascade

from dfsynth.inference import CascadeGenerator
from dfsynth.records import Generated, IntensityWindow, ModelInput
from dfsynth.score import LEARNED_SCORES, SCORE_COLUMNS
from dfsynth.train.heads import (
    MAP_SCORES,
    TARGETS,
    DescribingHeads,
    Examples,
    Picture,
    TruePicture,
    generate_examples,
    to_model_input,
)
from dfsynth.trust import Evidence

GRID = (24, 24)
WINDOW = IntensityWindow(0.0, 100.0)


def picture(number: int, kind: str = "none", truth: bool = True, side: int = 24) -> Picture:
    """A radiograph from 0 to 1 that is its own clean target; the noise is 0.1 in the lung."""
    rng = np.random.default_rng(number)
    # Of blocks, which keep their values where they are averaged.
    image = np.kron(rng.random((side // 2, 12)), np.ones((2, 2))).astype(np.float32)
    image[:2, :4] = [[0, 0, 1, 1]]
    lung = np.zeros(image.shape, np.bool_)
    lung[4:-4, 4:-4] = True
    noise = np.where(rng.random(image.shape) < 0.5, -0.1, 0.1).astype(np.float32)
    known = TruePicture(image, image, image + noise, lung)
    return Picture(
        key=f"k{number}",
        patient_id=f"p{number // 2}",
        origin="phantom",
        kind=kind,
        source=to_model_input(image, GRID, WINDOW),
        truth=known if truth else None,
    )


@dataclass
class Doubling:
    """Gives twice the radiograph back, but for a bright corner outside the lung."""

    heads: DescribingHeads
    corner: float = 0.0

    def generate(self, inputs: Sequence[ModelInput], image_ids: Sequence[str]) -> list[Generated]:
        made = []
        for one, _ in zip(inputs, image_ids, strict=True):
            signal = 2 * one.image
            signal[:2, :2] += self.corner
            flat = np.full(GRID, 0.1, np.float32)
            content = one.geometry.content
            self.heads(
                [
                    Evidence(
                        image=one.image[content],
                        dark_field=signal[content],
                        aleatoric=flat[content],
                        epistemic=flat[content],
                        lung=flat[content],
                        members=[],
                        embedding=np.zeros(2, np.float32),
                    )
                ]
            )
            made.append(Generated(signal, flat, flat, np.ones(GRID, np.float32)))
        return made


def made_of(pictures: Sequence[Picture], batch: int = 3, corner: float = 0.0) -> Examples:
    heads = DescribingHeads()
    generator: Any = Doubling(heads, corner)
    return generate_examples(generator, heads, pictures, batch)


def target(examples: Examples, name: str) -> np.ndarray:
    return examples.targets[:, TARGETS.index(name)]


def test_targets_are_the_truth_about_the_image() -> None:
    """A doubled image has the right shape, half the factor, and the noise that its target has."""
    found = made_of([picture(n) for n in range(4)])
    np.testing.assert_allclose(target(found, "total"), 0, atol=1e-4)
    np.testing.assert_allclose(target(found, "factor"), np.log(0.5), atol=1e-5)
    np.testing.assert_allclose(target(found, "noise"), 0.1, atol=1e-5)


def test_what_is_lit_outside_the_lung_counts_there() -> None:
    found = made_of([picture(n) for n in range(3)], corner=40.0)
    outside, lung, total = (target(found, name) for name in ("outside", "lung", "total"))
    assert (total > 0.5).all()
    np.testing.assert_allclose(np.hypot(outside, lung), total, rtol=1e-5)


@pytest.mark.parametrize("kind", ["tilted", "turned", "cropped", "half_chest", "collimated"])
def test_noise_that_was_resampled_says_nothing(kind: str) -> None:
    found = made_of([picture(0), picture(1, kind)])
    assert np.isfinite(target(found, "noise")).tolist() == [True, False]
    assert np.isfinite(target(found, "total")).all()


def test_without_truth_or_lung_or_signal_targets_are_not_known() -> None:
    known = picture(2)
    assert known.truth is not None
    nowhere = replace(known.truth, lung=np.zeros_like(known.truth.lung))
    silent = replace(known.truth, clean=np.zeros_like(known.truth.clean))
    lacking = [
        picture(0, truth=False),
        replace(known, truth=nowhere),
        replace(known, truth=silent),
    ]
    found = made_of([*lacking, known])
    assert np.isfinite(found.targets).any(axis=1).tolist() == [False, False, False, True]


def test_an_image_without_the_right_factor_has_an_error_and_no_factor() -> None:
    """Where nothing is left of the signal its logarithm is none."""
    known = picture(0)
    assert known.truth is not None
    opposed = replace(known.truth, clean=-known.truth.clean)
    found = made_of([replace(known, truth=opposed)])
    assert target(found, "total")[0] == pytest.approx(1)
    assert np.isnan(target(found, "factor")[0])


@pytest.mark.parametrize("batch", [1, 2, 5, 50])
def test_rows_stand_in_the_order_of_pictures_in_any_batches(batch: int) -> None:
    pictures = [
        picture(n, kind) for n, kind in enumerate(["none", "blur", "tilted", "gas", "arms"])
    ]
    found, wanted = made_of(pictures, batch), made_of(pictures, 3)
    assert found.kinds.tolist() == [one.kind for one in pictures]
    assert found.patients.tolist() == ["p0", "p0", "p1", "p1", "p2"]
    for f in fields(Examples):
        np.testing.assert_array_equal(getattr(found, f.name), getattr(wanted, f.name))
    for n, one in enumerate(pictures):
        alone = made_of([one])
        np.testing.assert_array_equal(alone.figures[0], found.figures[n])
        np.testing.assert_array_equal(alone.layout[0], found.layout[n])
    assert np.ptp(found.figures, axis=0).max() > 0.01


def test_a_truth_of_other_sides_is_brought_to_the_grid() -> None:
    """The padding that a low picture gets is none of its error."""
    found = made_of([picture(0, side=12), picture(1, side=48)])
    assert found.figures.shape[0] == 2
    np.testing.assert_allclose(target(found, "total"), 0, atol=1e-3)


def test_scores_are_those_that_need_no_heads() -> None:
    assert {*MAP_SCORES} | {*LEARNED_SCORES} == {column.name for column in SCORE_COLUMNS}
    assert not {*MAP_SCORES} & {*LEARNED_SCORES}
    found = made_of([picture(0)])
    scores = dict(zip(MAP_SCORES, found.scores[0].tolist(), strict=True))
    assert scores["aleatoric_mean"] == pytest.approx(0.1)
    assert scores["uncertainty"] == pytest.approx(0.1 * 2**0.5)
    assert np.isnan(scores["lung_area_cm2"]), "the pitch is not known"


def test_a_real_generator_is_described_as_its_heads_see_it() -> None:
    heads = DescribingHeads()
    cpu = torch.device("cpu")
    generator = CascadeGenerator([drawn_cascade(seed=1)], cpu, "fp32", 2, heads=heads)
    found = generate_examples(generator, heads, (picture(n) for n in range(3)), 2)
    again = generate_examples(generator, heads, (picture(n) for n in range(3)), 3)
    assert len(found) == len(heads.described) == 3
    np.testing.assert_allclose(found.figures, again.figures, rtol=1e-3, atol=1e-3)
    assert np.isfinite(found.figures).all()


def test_no_picture_is_an_error() -> None:
    with pytest.raises(ValueError, match="no picture"):
        made_of([])


def test_examples_come_back_as_they_were_saved(tmp_path: Path) -> None:
    found = made_of([picture(n, truth=n % 2 == 0) for n in range(5)])
    found.save(tmp_path / "some.npz")
    again = Examples.load(tmp_path / "some.npz")
    for f in fields(Examples):
        np.testing.assert_array_equal(getattr(again, f.name), getattr(found, f.name), strict=True)
    with np.load(tmp_path / "some.npz") as arrays:
        assert all(arrays[name].dtype != object for name in arrays.files)


def test_what_is_missing_or_damaged_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "some.npz"
    with pytest.raises(OSError, match=r"some\.npz"):
        Examples.load(path)
    path.write_bytes(b"no archive")
    with pytest.raises(ValueError, match="holds no examples"):
        Examples.load(path)
    np.savez(path, kinds=np.array(["none"]))
    with pytest.raises(ValueError, match="holds no examples"):
        Examples.load(path)


def test_what_is_pickled_is_not_loaded(tmp_path: Path) -> None:
    pickled: dict[str, Any] = {f.name: np.empty(1, object) for f in fields(Examples)}
    np.savez(tmp_path / "some.npz", **pickled)
    with pytest.raises(ValueError, match="allow_pickle"):
        Examples.load(tmp_path / "some.npz")


def test_parts_are_chosen_and_joined_row_by_row() -> None:
    found = made_of([picture(n) for n in range(4)])
    chosen = np.array([True, False, True, True])
    joined = Examples.joined([found.of(chosen), found.of(~chosen)])
    for f in fields(Examples):
        whole = getattr(found, f.name)
        np.testing.assert_array_equal(getattr(joined, f.name), whole[[0, 2, 3, 1]])
    assert len(joined) == 4
