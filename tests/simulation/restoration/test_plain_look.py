"""Plain looks: what a DRR shows before a machine processes it, of bodies and of radiographs."""

from collections.abc import Mapping

import numpy as np
import pytest

from dfsynth.manifest import check_parameters, pair_schema
from dfsynth.options import SimulateOptions
from dfsynth.options.simulate_tasks import RESTORATION
from dfsynth.records import Float32Map, MadePair, PairItem, Parameter
from dfsynth.simulation import Simulator
from dfsynth.simulation.restoration import pairs
from dfsynth.simulation.restoration.plain_look import (
    draw_plain_look,
    show_plainly,
    standardise_look,
)

SIDE = 64
WHOLE = (slice(0, SIDE), slice(0, SIDE))
SEEDS = range(8)


class Nothing:
    """A degrader that takes nothing away."""

    name = "nothing"

    def fingerprint(self) -> str:
        return "1"

    def degrade(self, image: Float32Map, rng: np.random.Generator) -> Float32Map:  # noqa: ARG002
        return image

    def drawn(self, rng: np.random.Generator) -> Mapping[str, Parameter]:  # noqa: ARG002
        return {}


def make(seed: int, **given: object) -> MadePair:
    simulator = Simulator(
        SimulateOptions.of(
            out="p.zarr",
            n=1,
            task=RESTORATION,
            size=SIDE,
            origin="phantom",
            nodules=0,
            device="cpu",
            **given,
        )
    )
    item = PairItem(0, 0, "a", f"phantom-{seed}", "train", "phantom", None, "none", seed)
    return simulator.make(item)


@pytest.fixture(scope="module")
def bodies() -> list[MadePair]:
    """Drawn bodies: shown in the look of an archive, their blurred images plain and not blurred."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "open_degrader", lambda *_: Nothing())
        return [make(seed, blurred_look="plain") for seed in SEEDS]


@pytest.fixture(scope="module")
def usual() -> list[MadePair]:
    """The same bodies in the looks of archives."""
    return [make(seed) for seed in SEEDS]


def distance(one: Float32Map, other: Float32Map) -> float:
    return float(np.sqrt(np.mean((one - other) ** 2)))


def test_bodies_have_the_partner_that_a_plain_drr_is(bodies: list[MadePair]) -> None:
    for body in bodies:
        plain = body.arrays["blurred"]
        assert body.facts.parameters["degrader"] == "nothing, plain"
        assert (plain.min(), plain.max()) == (0, 1)
        assert distance(plain, body.arrays["radiograph"]) > 0.03
    check_parameters(pair_schema(RESTORATION), bodies[0].facts.parameters)


def test_radiographs_beside_plain_partners_have_one_look(
    usual: list[MadePair], bodies: list[MadePair]
) -> None:
    for one, body in zip(usual, bodies, strict=True):
        assert one.facts.parameters["degrader"] == "drr"
        assert np.array_equal(one.arrays["lung"], body.arrays["lung"])
        # The same picture in other greys, of which none changes places with another.
        order = np.argsort(one.arrays["radiograph"], axis=None)
        assert (np.diff(body.arrays["radiograph"].ravel()[order]) > -1e-5).all()
    for share in (20, 80):
        of_usual, of_plain = (
            [landmark(pair.arrays["radiograph"], share) for pair in pairs]
            for pairs in (usual, bodies)
        )
        assert np.std(of_plain) < 0.5 * np.std(of_usual)


def landmark(image: Float32Map, share: float) -> float:
    return float(np.percentile(image[image > 0.08], share))


def test_undoing_a_machine_brings_radiographs_nearer_to_plain_drrs(
    usual: list[MadePair], bodies: list[MadePair]
) -> None:
    before, after, detail = [], [], []
    for seed, one, body in zip(SEEDS, usual, bodies, strict=True):
        shown, plain = one.arrays["radiograph"], body.arrays["blurred"]
        undone = show_plainly(shown, WHOLE, draw_plain_look(np.random.default_rng(seed)))
        before.append(distance(shown, plain))
        after.append(distance(undone, plain))
        detail.append([fine(shown), fine(undone), fine(plain)])
    assert np.mean(after) < 0.75 * np.mean(before)
    of_shown, of_undone, of_plain = np.mean(detail, axis=0)
    assert of_plain < of_undone < of_shown


def fine(image: Float32Map) -> float:
    """Amplitude of what changes from one pixel to the next."""
    return float(np.abs(np.diff(image, axis=0)).mean())


def test_greys_are_taken_to_those_that_plain_drrs_have(bodies: list[MadePair]) -> None:
    looks = [draw_plain_look(np.random.default_rng(seed)) for seed in range(200)]
    for name, share in (("lung_grey", 20), ("dense_grey", 80)):
        drawn = [getattr(look, name) for look in looks]
        found = [landmark(body.arrays["blurred"], share) for body in bodies]
        assert np.mean(found) == pytest.approx(np.mean(drawn), abs=0.06)
        assert np.std(found) == pytest.approx(np.std(drawn), abs=0.04)


def test_what_is_drawn_undoes_more_than_nothing() -> None:
    look = draw_plain_look(np.random.default_rng(3))
    assert look == draw_plain_look(np.random.default_rng(3))
    assert look.equalisation.exponent >= 1
    assert look.equalisation.latitude >= 1


def test_padding_stays_black_and_a_black_radiograph_is_no_error() -> None:
    look = draw_plain_look(np.random.default_rng(0))
    shown = np.zeros((SIDE, SIDE), np.float32)
    assert not show_plainly(shown, WHOLE, look).any()
    assert not standardise_look(shown, WHOLE).any()
    content = (slice(8, 56), slice(0, SIDE))
    shown[content] = np.linspace(0.2, 1, SIDE, dtype=np.float32)
    found = show_plainly(shown, content, look)
    assert found.dtype == np.float32
    assert not found[:8].any()
    assert not found[56:].any()
    assert (found[content].min(), found[content].max()) == (0, 1)
