"""Maps → one number each: by hand, blind to padding, and all that are declared."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dfsynth.errors import CheckpointError, ErrorCode, ImageError
from dfsynth.preprocess import letterbox
from dfsynth.records import LEARNED_FLAGS, Generated, ModelInput
from dfsynth.score import LEARNED_SCORES, NO_SCORES, SCORE_COLUMNS, SCORERS, score

Map = NDArray[np.float32]


def model_input(
    source: tuple[int, int] = (40, 20), pixel_mm: float | None = None, flags: tuple[str, ...] = ()
) -> ModelInput:
    geometry = letterbox(source, (40, 40))
    return ModelInput(np.zeros((40, 40), np.float32), geometry, pixel_mm, flags)


def generated(seed: int = 0, lung: Map | None = None) -> Generated:
    rng = np.random.default_rng(seed)
    mean, aleatoric, epistemic = rng.uniform(0.01, 1, (3, 40, 40)).astype(np.float32)
    return Generated(mean, aleatoric, epistemic, lung)


def lung_of(columns: slice, rows: slice = slice(None)) -> Map:
    """Probability 0.9 in a box of the grid, 0.1 elsewhere."""
    lung = np.full((40, 40), 0.1, np.float32)
    lung[rows, columns] = 0.9
    return lung


def test_every_number_by_hand() -> None:
    # The image fills columns 10 to 30; the lung columns 10 to 15: a quarter of it.
    maps, lung = generated(), lung_of(slice(10, 15))
    found = score(replace(maps, lung=lung), model_input())
    d, a, e = (m.astype(np.float64) for m in (maps.mean, maps.aleatoric, maps.epistemic))
    inside, whole = (slice(None), slice(10, 15)), (slice(None), slice(10, 30))
    assert found.scores["dark_field_mean"] == pytest.approx(d[whole].mean())
    assert found.scores["dark_field_lung_mean"] == pytest.approx(d[inside].mean())
    assert found.scores["aleatoric_mean"] == pytest.approx(a[whole].mean())
    assert found.scores["aleatoric_lung_mean"] == pytest.approx(a[inside].mean())
    assert found.scores["aleatoric_p95"] == pytest.approx(np.percentile(a[whole], 95))
    assert found.scores["epistemic_mean"] == pytest.approx(e[whole].mean())
    assert found.scores["epistemic_lung_mean"] == pytest.approx(e[inside].mean())
    assert found.scores["epistemic_p95"] == pytest.approx(np.percentile(e[whole], 95))
    assert found.scores["uncertainty"] == pytest.approx(
        np.sqrt((a[inside] ** 2 + e[inside] ** 2).mean())
    )
    assert found.scores["lung_fraction"] == pytest.approx(0.25)
    assert found.scores["lung_area_cm2"] is None
    assert found.flags == ()


@settings(deadline=None, max_examples=40)
@given(
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
    st.booleans(),
    st.floats(-1e6, 1e6, width=32),
    st.floats(0, 1, width=32),
)
def test_padding_never_counts(
    source: tuple[int, int], has_lung: bool, value: float, probability: float
) -> None:
    rng = np.random.default_rng(1)
    lung = rng.random((40, 40), np.float32) if has_lung else None
    maps, into = generated(2, lung), model_input(source, pixel_mm=0.4)
    padding = np.ones((40, 40), np.bool_)
    padding[into.geometry.content] = False

    def repadded(values: Map, other: float) -> Map:
        return np.where(padding, np.float32(other), values)

    changed = Generated(
        repadded(maps.mean, value),
        repadded(maps.aleatoric, abs(value)),
        repadded(maps.epistemic, abs(value)),
        None if maps.lung is None else repadded(maps.lung, probability),
    )
    assert score(changed, into) == score(maps, into)


def test_the_area_of_a_lung_by_hand() -> None:
    # Source 800 × 400 pixels of 0.5 mm: 400 × 200 mm; a grid pixel is 10 mm wide.
    lung = lung_of(slice(10, 20), slice(0, 30))
    found = score(generated(lung=lung), model_input((800, 400), pixel_mm=0.5))
    assert found.scores["lung_fraction"] == pytest.approx(300 / 800)
    assert found.scores["lung_area_cm2"] == pytest.approx(300.0)


def test_the_area_does_not_depend_on_the_grids_size() -> None:
    areas = []
    for side in (40, 120):
        lung = np.zeros((side, side), np.float32)
        lung[: side // 2, side // 4 : side // 2] = 1
        geometry = letterbox((700, 350), (side, side))
        into = ModelInput(np.zeros((side, side), np.float32), geometry, 0.4, ())
        rng = np.random.default_rng(0)
        mean, aleatoric, epistemic = rng.random((3, side, side), np.float32)
        maps = Generated(mean, aleatoric, epistemic, lung)
        areas.append(score(maps, into).scores["lung_area_cm2"])
    # Half the image's height and half its width: 140 mm × 70 mm.
    assert areas == pytest.approx([98.0, 98.0])


@pytest.mark.parametrize(("pixels", "flagged"), [(39, True), (40, False), (0, True)])
def test_under_a_twentieth_of_lung_there_is_none(pixels: int, flagged: bool) -> None:
    lung = np.zeros((40, 40), np.float32)
    content = lung[:, 10:30].copy()
    content.ravel()[:pixels] = 1.0
    lung[:, 10:30] = content
    found = score(generated(lung=lung), model_input(pixel_mm=0.5))
    assert found.flags == (("no_lung",) if flagged else ())
    for name in (
        "dark_field_lung_mean",
        "aleatoric_lung_mean",
        "epistemic_lung_mean",
        "uncertainty",
        "lung_area_cm2",
    ):
        assert (found.scores[name] is None) == flagged, name
    # How little there was is a fact of the image, and stays.
    assert found.scores["lung_fraction"] == pytest.approx(pixels / 800)
    mean = found.scores["dark_field_mean"]
    assert mean is not None
    assert mean > 0


def test_lung_in_the_padding_is_no_lung() -> None:
    found = score(generated(lung=lung_of(slice(0, 10))), model_input())
    assert found.flags == ("no_lung",)
    assert found.scores["lung_fraction"] == 0


@pytest.mark.parametrize(("probability", "counts"), [(0.499, False), (0.5, False), (0.501, True)])
def test_lung_is_more_than_even_chance(probability: float, counts: bool) -> None:
    lung = np.full((40, 40), probability, np.float32)
    assert score(generated(lung=lung), model_input()).scores["lung_fraction"] == counts


def test_without_a_lung_output_uncertainty_is_over_the_image_and_nothing_is_flagged() -> None:
    maps = generated()
    found = score(maps, model_input(pixel_mm=0.5))
    a, e = (m[:, 10:30].astype(np.float64) for m in (maps.aleatoric, maps.epistemic))
    assert found.scores["uncertainty"] == pytest.approx(np.sqrt((a**2 + e**2).mean()))
    for name in (
        "dark_field_lung_mean",
        "aleatoric_lung_mean",
        "epistemic_lung_mean",
        "lung_fraction",
        "lung_area_cm2",
    ):
        assert found.scores[name] is None, name
    assert found.flags == ()


def test_flags_of_the_input_come_first() -> None:
    into = model_input(flags=("low_contrast", "clipped"))
    assert score(generated(), into).flags == ("low_contrast", "clipped")
    empty = generated(lung=np.zeros((40, 40), np.float32))
    assert score(empty, into).flags == ("low_contrast", "clipped", "no_lung")
    seen = replace(empty, learned_flags=("not_chest", "inverted"))
    assert score(seen, into).flags == (
        *("low_contrast", "clipped", "no_lung", "not_chest", "inverted"),
    )


def test_means_keep_their_digits_over_many_pixels() -> None:
    side = 1500
    geometry = letterbox((side, side), (side, side))
    into = ModelInput(np.zeros((side, side), np.float32), geometry, None, ())
    value = np.float32(0.1)
    flat = np.full((side, side), value)
    maps = Generated(flat, flat, flat, None)
    found = score(maps, into)
    assert found.scores["dark_field_mean"] == pytest.approx(float(value), rel=1e-9)
    assert found.scores["uncertainty"] == pytest.approx(float(value) * 2**0.5, rel=1e-9)


def test_numbers_are_plain_floats() -> None:
    found = score(generated(lung=lung_of(slice(10, 20))), model_input(pixel_mm=0.5))
    for name, value in found.scores.items():
        assert value is None or type(value) is float, name


def test_scorers_give_what_they_declare() -> None:
    declared = [column.name for scorer in SCORERS for column in scorer.columns]
    assert len(set(declared)) == len(declared)
    lung = lung_of(slice(10, 20))
    maps = replace(generated(lung=lung), learned=dict.fromkeys(LEARNED_SCORES, 0.5))
    found = score(maps, model_input(pixel_mm=0.5)).scores
    assert list(found) == [column.name for column in SCORE_COLUMNS] == list(NO_SCORES)
    assert {name for name, value in found.items() if value is not None} == set(declared)


def test_what_the_heads_say_is_taken_as_it_is() -> None:
    said = {name: 0.125 * (number + 1) for number, name in enumerate(LEARNED_SCORES)}
    maps = generated(lung=lung_of(slice(10, 20)))
    plain, found = (score(m, model_input()).scores for m in (maps, replace(maps, learned=said)))
    assert {name: found[name] for name in LEARNED_SCORES} == said
    assert {name: value for name, value in found.items() if name not in said} == {
        name: value for name, value in plain.items() if name not in said
    }


def test_a_column_that_the_heads_leave_out_is_null() -> None:
    found = score(replace(generated(), learned={"ood_score": 3.0}), model_input()).scores
    assert {name: found[name] for name in LEARNED_SCORES if found[name] is not None} == {
        "ood_score": 3.0
    }


def test_without_lung_nothing_is_said_of_the_lung() -> None:
    empty = generated(lung=np.zeros((40, 40), np.float32))
    maps = replace(empty, learned=dict.fromkeys(LEARNED_SCORES, 0.5))
    found = score(maps, model_input()).scores
    assert {name for name in LEARNED_SCORES if found[name] is None} == {
        "noise_uncertainty",
        "structure_uncertainty_lung",
    }


def test_scores_and_flags_that_are_not_known_are_refused() -> None:
    for unknown in ({"learned": {"ood_score": 1.0, "beauty": 1.0}}, {"learned_flags": ("beauty",)}):
        with pytest.raises(CheckpointError, match="'beauty'; this version of dfsynth knows") as why:
            score(replace(generated(), **unknown), model_input())
        assert "\n" not in str(why.value)
    assert score(replace(generated(), learned_flags=tuple(LEARNED_FLAGS)), model_input()).flags


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_score_that_is_not_finite_fails_the_image(value: float) -> None:
    maps = replace(generated(), learned={"error_bound": value})
    with pytest.raises(ImageError, match="no finite value for error_bound") as failure:
        score(maps, model_input())
    assert failure.value.code is ErrorCode.NON_FINITE


def test_columns_say_which_values_are_unusual() -> None:
    unusual = {column.name: column.unusual for column in SCORE_COLUMNS}
    assert unusual["lung_fraction"] == "low"
    assert {name for name, way in unusual.items() if way is None} == {
        "dark_field_mean",
        "dark_field_lung_mean",
        "lung_area_cm2",
    }


def test_samples_that_cannot_differ_say_nothing_of_epistemic_uncertainty() -> None:
    """A 0 would rank these images before all others."""
    maps = replace(
        generated(), epistemic=np.zeros((40, 40), np.float32), lung=lung_of(slice(10, 15))
    )
    found = score(maps, model_input()).scores
    for name in ("epistemic_mean", "epistemic_lung_mean", "epistemic_p95"):
        assert found[name] is None
    aleatoric = maps.aleatoric[:, 10:15].astype(np.float64)
    assert found["uncertainty"] == pytest.approx(np.sqrt(np.mean(aleatoric**2)))
