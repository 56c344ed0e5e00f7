"""Heads learn what examples show, weigh patients alike, and promise no more than they can."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pytest
from drawn_heads import drawn_heads
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dfsynth.train.heads import (
    FRONTAL,
    MAP_SCORES,
    PICTURES,
    TARGETS,
    Examples,
    fit_heads,
)
from dfsynth.train.heads import fit as fit_module
from dfsynth.train.heads import perceptrons as perceptrons_module
from dfsynth.trust import OUTPUTS, Learned, Perceptron, TrustHeads, decode_heads, encode_heads

FIGURES, LAYOUT = 6, 8
STEPS: Final = 500
Array = NDArray[np.float32]

AXES: Final = {
    "inverted": 0,
    "turned": 1,
    "other": 2,
    "lateral": 3,
    "devices": 4,
    "hard_window": 5,
    "half_chest": 5,
    "noise": 5,
}
"""Which figure tells a kind of picture apart."""


def sigmoid(logits: Any) -> Any:
    return 1 / (1 + np.exp(-logits))


def logit(share: Any) -> Any:
    return np.log(share / (1 - share))


def examples(figures: NDArray[Any], rng: np.random.Generator, **known: Any) -> Examples:
    """Examples of these figures, whose layout says nothing."""
    count = len(figures)
    return Examples(
        patients=known.get("patients", np.array([f"p{n}" for n in range(count)])),
        origins=np.full(count, "phantom"),
        kinds=known.get("kinds", np.full(count, "none")),
        figures=figures.astype(np.float32),
        layout=rng.standard_normal((count, LAYOUT)).astype(np.float32),
        targets=known.get("targets", np.full((count, len(TARGETS)), np.nan)).astype(np.float32),
        scores=np.full((count, len(MAP_SCORES)), np.nan, np.float32),
    )


def shifted_pairs(patients: int, seed: int, noise: float = 0.3) -> Examples:
    """Four pairs a patient whose error follows the first figure, and whose noise the second."""
    rng = np.random.default_rng(seed)
    count = 4 * patients
    figures = rng.standard_normal((count, FIGURES))
    own = np.repeat(rng.standard_normal(patients), 4)
    total = sigmoid(0.8 * figures[:, 0] - 0.5 + noise * own)
    targets = np.stack(
        [
            np.exp(-3 + 0.4 * figures[:, 1]),
            0.3 * own + 0.7,
            0.8 * total,
            0.6 * total,
            total,
        ],
        axis=1,
    )
    names = np.repeat([f"{seed}-{n}" for n in range(patients)], 4)
    return examples(figures, rng, targets=targets, patients=names)


def drawn_pictures(seed: int, frontal: int = 240, others: int = 60) -> Examples:
    """Frontal ones around the origin, the others away from it along their own axis."""
    rng = np.random.default_rng(seed)
    kinds = np.array(
        [FRONTAL] * frontal + [k for k in PICTURES if k in AXES for _ in range(others)]
    )
    figures = rng.standard_normal((len(kinds), FIGURES))
    for row, kind in zip(figures, kinds, strict=True):
        if kind != FRONTAL:
            row[AXES[kind]] += 6
    return examples(figures, rng, kinds=kinds)


def frontal_pictures(seed: int, count: int = 200) -> Examples:
    return drawn_pictures(seed, count, 0)


def said(heads: TrustHeads, seen: Examples) -> list[Learned]:
    return heads.judge(heads.projection(seen.figures, seen.layout))


def score_of(heads: TrustHeads, seen: Examples, name: str) -> Array:
    return np.array([one.scores[name] for one in said(heads, seen)], np.float32)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """These functions are learned in fewer steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(perceptrons_module, "_STEPS", STEPS)
        yield


@pytest.fixture(scope="module")
def fitted(quick: None) -> TrustHeads:
    return fit_heads(
        shifted_pairs(150, 1), drawn_pictures(2), frontal_pictures(3), shifted_pairs(80, 4)
    )


def test_the_error_is_learned(fitted: TrustHeads) -> None:
    new = shifted_pairs(50, 9, noise=0.0)
    found, wanted = score_of(fitted, new, "predicted_error"), new.targets[:, 4]
    assert np.abs(found - wanted).mean() < 0.05
    assert np.corrcoef(found, wanted)[0, 1] > 0.95


def test_its_parts_are_learned(fitted: TrustHeads) -> None:
    new = shifted_pairs(50, 9, noise=0.0)
    for name, column in (
        ("noise_uncertainty", "noise"),
        ("structure_uncertainty_lung", "lung"),
        ("structure_uncertainty_outside", "outside"),
    ):
        wanted = new.targets[:, TARGETS.index(column)]
        off = np.log(score_of(fitted, new, name) / wanted)
        assert np.abs(off).mean() < 0.2, name
        assert np.corrcoef(np.log(wanted), np.log(wanted) + off)[0, 1] > 0.8, name


def test_the_patients_factor_is_known_by_its_spread(fitted: TrustHeads) -> None:
    found = score_of(fitted, shifted_pairs(50, 9), "patient_uncertainty")
    assert np.median(found) == pytest.approx(0.3, rel=0.25)


def test_kinds_are_told_apart(fitted: TrustHeads) -> None:
    new = drawn_pictures(11)
    told = said(fitted, new)
    for kind in AXES:
        own = [one for one, k in zip(told, new.kinds, strict=True) if k == kind]
        for flag in PICTURES[kind] - {"ood"}:
            if kind != "noise":
                assert np.mean([flag in one.flags for one in own]) > 0.8, (kind, flag)
        if "ood" in PICTURES[kind]:
            assert np.mean([one.scores["ood_score"] > 0 for one in own]) > 0.8, kind


def test_few_held_radiographs_are_flagged_or_raise_an_alarm(fitted: TrustHeads) -> None:
    """No more of those that thresholds were set on than is promised, and few others."""
    held = frontal_pictures(3)
    alarms = score_of(fitted, held, "ood_score") > 0
    assert alarms.mean() <= fit_module._FALSE_ALARMS
    for flag in fitted.flags:
        raised = np.mean([flag in one.flags for one in said(fitted, held)])
        assert raised <= fit_module._FALSE_FLAGS, flag
    assert (score_of(fitted, frontal_pictures(12, 1000), "ood_score") > 0).mean() < 0.1


@given(count=st.integers(1, 70), seed=st.integers(0, 99), share=st.sampled_from([0.01, 0.03, 0.3]))
def test_a_threshold_is_the_least_that_few_enough_exceed(
    count: int, seed: int, share: float
) -> None:
    """Also of so few that interpolation between two of them would let more through."""
    values = np.random.default_rng(seed).standard_normal((count, 2)).astype(np.float32)
    for column, threshold in zip(values.T, fit_module._exceeded_by(share, values), strict=True):
        assert (column > threshold).mean() <= share
        lower = column[column < threshold]
        assert lower.size == 0 or (column > lower.max()).mean() > share


def test_a_radiograph_far_from_all_is_unlike_whatever_the_vote_says(fitted: TrustHeads) -> None:
    """In a direction that no kind of picture showed: the distance alone speaks."""
    heads = fitted
    usual = heads.projection(*_at(np.zeros(FIGURES)))
    away = usual + np.float32(5) * np.sign(np.arange(usual.shape[1]) % 2 - 0.5)
    assert heads.excess_distance(usual)[0] < 1
    assert heads.excess_distance(away)[0] > 1


def _at(figures: NDArray[np.float64]) -> tuple[Array, Array]:
    return figures[None].astype(np.float32), np.zeros((1, LAYOUT), np.float32)


def test_a_bound_holds_for_patients_to_come(fitted: TrustHeads) -> None:
    new = shifted_pairs(400, 21)
    holds = new.targets[:, 4] <= score_of(fitted, new, "error_bound")
    assert holds.mean() > 0.87
    assert score_of(fitted, new, "error_bound").mean() < 0.8, "and says something"


def test_the_fit_is_a_seeds_own_and_can_be_kept(fitted: TrustHeads) -> None:
    again = fit_heads(
        shifted_pairs(150, 1), drawn_pictures(2), frontal_pictures(3), shifted_pairs(80, 4)
    )
    raw = encode_heads(fitted)
    assert encode_heads(again) == raw
    assert encode_heads(decode_heads(raw, "x")) == raw


def test_pictures_of_unknown_truth_do_not_calibrate() -> None:
    calibration = shifted_pairs(80, 4)
    calibration.targets[:40] = np.nan
    known = calibration.of(np.isfinite(calibration.targets[:, 4]))
    assert 0 < len(known) < len(calibration)
    fits = [
        fit_heads(shifted_pairs(20, 1), drawn_pictures(2, 40, 5), frontal_pictures(3, 20), each)
        for each in (calibration, known)
    ]
    np.testing.assert_array_equal(fits[0].margins, fits[1].margins)


def test_a_patient_of_many_pictures_weighs_as_one() -> None:
    """Two patients who look alike and differ: the prediction lies half way between them."""
    rng = np.random.default_rng(0)
    many, few = 300, 3
    targets = np.tile([0.05, 0.0, 0.2, 0.2, 0.2], (many + few, 1))
    targets[many:, 4] = 0.8
    names = np.array(["many"] * many + ["few"] * few)
    shifted = examples(np.zeros((many + few, FIGURES)), rng, targets=targets, patients=names)
    shifted = replace(shifted, layout=np.zeros_like(shifted.layout))
    found = fit_heads(
        shifted, drawn_pictures(2, 40, 5), frontal_pictures(3, 20), shifted_pairs(20, 4)
    )
    middle = score_of(found, shifted, "predicted_error").mean()
    assert middle == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("patients", [1, 2, 5])
def test_heads_of_very_few_work_and_promise_nothing(patients: int) -> None:
    found = fit_heads(
        shifted_pairs(patients, 1),
        drawn_pictures(2, 2, 1),
        frontal_pictures(3, 1),
        shifted_pairs(patients, 4),
    )
    heads = decode_heads(encode_heads(found), "x")
    new = shifted_pairs(5, 7)
    for one in said(heads, new):
        assert np.isfinite(list(one.scores.values())).all()
        assert one.scores["error_bound"] == 1


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        *(
            ("shifted", known, f"shifted pairs that know their {known}, found 0")
            for known in TARGETS
        ),
        ("pictures", "frontal", "2 or more frontal pictures, found 0"),
        ("pictures", "others", "pictures of other kinds, found 0"),
        ("held", "all", "1 or more held frontal radiographs, found 0"),
        ("calibration", "total", "calibration pairs of known truth, found 0"),
    ],
)
def test_what_is_missing_is_said(name: str, wrong: str, message: str) -> None:
    given: dict[str, Any] = {
        "shifted": shifted_pairs(5, 1),
        "pictures": drawn_pictures(2, 20, 2),
        "held": frontal_pictures(3, 20),
        "calibration": shifted_pairs(5, 4),
    }
    chosen = given[name]
    if wrong in TARGETS:
        chosen.targets[:, TARGETS.index(wrong)] = np.nan
    elif name == "held":
        given[name] = chosen.of(np.zeros(len(chosen), np.bool_))
    else:
        given[name] = chosen.of((chosen.kinds == FRONTAL) == (wrong == "others"))
    with pytest.raises(ValueError, match=message):
        fit_heads(**given)


@given(rank=st.integers(0, 5), count=st.integers(8, 40), seed=st.integers(0, 50))
def test_directions_in_which_no_example_differs_are_left_out(
    rank: int, count: int, seed: int
) -> None:
    """They would be rounding errors made large."""
    rng = np.random.default_rng(seed)
    seen = examples(rng.standard_normal((count, FIGURES)), rng)
    parts = rng.standard_normal((count, rank)), rng.standard_normal((rank, LAYOUT))
    seen = replace(seen, layout=(3 + parts[0] @ parts[1]).astype(np.float32))
    projection = fit_module._fit_projection(seen, seen)
    assert projection.components.shape == (LAYOUT, rank)
    inputs = projection(seen.figures, seen.layout)
    assert np.abs(inputs.mean(axis=0)).max() < 1e-2
    np.testing.assert_allclose(inputs[:, FIGURES:].std(axis=0), 1, rtol=0.05)


# The margins by themselves: a head that says what the first figure is.


def echoing(edges: tuple[float, float] = (-1e9, 1e9)) -> TrustHeads:
    """Heads whose predicted logit is the first figure; by default all of one group."""
    weight = np.zeros((1, FIGURES + 4, len(OUTPUTS)), np.float32)
    weight[0, 0, -1] = 1
    plain = drawn_heads(FIGURES, LAYOUT)
    projection = replace(
        plain.projection,
        figure_mean=np.zeros(FIGURES, np.float32),
        figure_scale=np.ones(FIGURES, np.float32),
    )
    return replace(
        plain,
        projection=projection,
        error=Perceptron([weight], [np.zeros((1, 1, len(OUTPUTS)), np.float32)]),
        margin_edges=np.array(edges, np.float32),
    )


def calibration_of(predicted: Any, errors: Any, patients: Any) -> Examples:
    figures = np.zeros((len(errors), FIGURES))
    figures[:, 0] = predicted
    targets = np.full((len(errors), len(TARGETS)), np.nan)
    targets[:, -1] = errors
    rng = np.random.default_rng(0)
    return examples(figures, rng, targets=targets, patients=np.array(patients))


def bounded(calibration: Examples, edges: tuple[float, float] = (-1e9, 1e9)) -> TrustHeads:
    heads = echoing(edges)
    return replace(heads, margins=fit_module._margins(heads, calibration))


def bound_at(heads: TrustHeads, predicted: Any) -> Array:
    where = np.atleast_1d(predicted)
    return score_of(heads, calibration_of(where, np.zeros(len(where)), where), "error_bound")


def test_a_hundred_pictures_of_one_patient_move_a_bound_as_one() -> None:
    """19 patients and one whose pictures are all much worse: 19 of 21 are enough."""
    errors = [0.5] * 19 + [0.9] * 100
    names = [f"p{n}" for n in range(19)] + ["many"] * 100
    heads = bounded(calibration_of(0.0, errors, names))
    assert bound_at(heads, 0.0)[0] == pytest.approx(0.5, abs=1e-5)


def test_a_patient_with_one_bad_picture_in_four_counts_a_quarter() -> None:
    """Two patients beside eighteen good ones: 18.5 of 21 are not 90 %, 19 are."""
    errors = [0.5] * 18 + [0.6, 0.9] + [0.7, 0.7, 0.7, 0.8]
    names = [f"p{n}" for n in range(18)] + ["a", "a"] + ["b"] * 4
    heads = bounded(calibration_of(0.0, errors, names))
    assert bound_at(heads, 0.0)[0] == pytest.approx(0.7, abs=1e-5)


@given(count=st.integers(1, 30), pictures=st.integers(1, 4), seed=st.integers(0, 99))
def test_a_bound_is_1_where_so_few_patients_can_promise_nothing(
    count: int, pictures: int, seed: int
) -> None:
    """Nine is the least number of patients of whom and one to come 90 % is known."""
    rng = np.random.default_rng(seed)
    errors = rng.uniform(0.1, 0.6, count * pictures)
    names = np.repeat([f"p{n}" for n in range(count)], pictures)
    found = bound_at(bounded(calibration_of(0.0, errors, names)), 0.0)[0]
    if count < 9:
        assert found == 1
    elif count == 9:
        assert found == pytest.approx(errors.max(), abs=1e-5)
    else:
        assert found <= errors.max() + 1e-5


@pytest.mark.parametrize("pictures", [1, 3, 7, 49, 103])
@pytest.mark.parametrize("tens", [1, 2, 3, 10])
def test_ranks_are_counted_in_whole_patients(pictures: int, tens: int) -> None:
    """Of 10 k patients, one of them to come, 9 k are 90 % to the last picture; 0.9 is no float."""
    count = 10 * tens - 1
    excess = np.arange(count * pictures, dtype=np.float64)
    names = np.repeat([f"p{n}" for n in range(count)], pictures)
    assert fit_module._margin(excess, names) == 9 * tens * pictures - 1


def test_a_group_without_a_patient_promises_nothing() -> None:
    errors, names = [0.5] * 20, [f"p{n}" for n in range(20)]
    heads = bounded(calibration_of(2.0, errors, names), (-1.0, 1.0))
    np.testing.assert_array_equal(bound_at(heads, [-2.0, 0.0]), 1)
    assert bound_at(heads, 2.0)[0] < 0.51


def test_groups_have_margins_of_their_own() -> None:
    """Where predictions are low errors are as predicted, where high much larger."""
    low, high = [0.2] * 20, [0.95] * 20
    names = [f"p{n}" for n in range(20)] * 2
    predicted = [logit(0.2)] * 20 + [logit(0.5)] * 20
    heads = bounded(calibration_of(predicted, low + high, names), (-1.0, 9.0))
    found = bound_at(heads, [logit(0.2), logit(0.5)])
    np.testing.assert_allclose(found, [0.2, 0.95], atol=1e-4)


@given(failed=st.integers(0, 20))
def test_a_bound_holds_for_images_of_which_nothing_is_right(failed: int) -> None:
    """An error of 1 is no error of 0.99."""
    errors = [0.3] * (40 - failed) + [1.0] * failed
    heads = bounded(calibration_of(0.0, errors, [f"p{n}" for n in range(40)]))
    # 37 of 41 are the least that is 90 %.
    assert (bound_at(heads, 0.0) == 1).tolist() == [failed > 3]


@pytest.mark.parametrize("patients", [12, 40])
def test_over_many_draws_bounds_hold_for_nine_patients_of_ten(patients: int) -> None:
    """Patients have factors of their own and 1 to 20 pictures; a picture of each is asked for."""
    rng = np.random.default_rng(patients)

    def drawn(count: int) -> tuple[Array, NDArray[np.intp]]:
        sizes = rng.integers(1, 21, count)
        owner = np.repeat(np.arange(count), sizes)
        own = rng.standard_normal(count)[owner]
        return sigmoid(own + 0.5 * rng.standard_normal(len(owner))), owner

    shares = []
    for _ in range(150):
        errors, owner = drawn(patients)
        heads = bounded(calibration_of(0.0, errors, owner.astype(str)))
        new, of = drawn(100)
        holds = new <= bound_at(heads, 0.0)[0]
        shares.append(np.mean([holds[of == n].mean() for n in range(100)]))
    # Its standard deviation over 150 draws is below 0.01; the law allows 1 / (patients + 1) more.
    assert 0.9 - 0.02 < np.mean(shares) < 0.9 + 1 / (patients + 1) + 0.02
