"""Pairs of restoration: what they hold, their twins without nodules, and what is refused."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from segmented_chest import SIDE, dome

from dfsynth.errors import ImageError, UsageError
from dfsynth.lung_segmentation import LungRegions
from dfsynth.lung_segmentation.network import LungPrediction
from dfsynth.manifest import check_parameters, pair_schema
from dfsynth.options import SimulateOptions
from dfsynth.options.simulate_tasks import RESTORATION
from dfsynth.records import Float32Map, MadePair, PairItem
from dfsynth.simulation import Simulator
from dfsynth.simulation.ct import CtThorax, draw_pose
from dfsynth.simulation.restoration.blurring import Blurring
from dfsynth.simulation.restoration.bodies import BlurredBodies
from dfsynth.simulation.restoration.degraders import open_degrader
from dfsynth.simulation.restoration.whole_lungs import require_whole_lungs
from dfsynth.simulation.sampling import SamplingOptions
from dfsynth.simulation.scene import pose_ct
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue import draw_tissue

CPU = torch.device("cpu")
LUNGS = dome(60, 34, 45, 22) + dome(60, 94, 45, 22)
CHEST = np.round(255 * (0.75 - 0.5 * LUNGS)).astype(np.uint8)


def options(**given) -> SimulateOptions:
    return SimulateOptions.of(
        **{"out": "p.zarr", "n": 2, "task": RESTORATION, "size": 64, "device": "cpu", **given}
    )


def make_of(thorax: CtThorax, nodules: float) -> MadePair:
    taken = SamplingOptions.of(options(origin="phantom", without=("display",)))
    streams = Streams(11)
    scene = pose_ct(
        thorax,
        draw_pose(streams("pose")),
        draw_tissue(streams, taken.severity, taken.without),
        streams,
        taken.size,
    )
    imaging = BlurredBodies(Blurring(open_degrader("drr", CPU)), nodules, (20.0, 30.0))
    return imaging(scene, taken, streams, {}, "0" * 64)


@pytest.fixture(scope="module")
def pair(thorax: CtThorax) -> MadePair:
    return make_of(thorax, 1.0)


@pytest.fixture(scope="module")
def twin(thorax: CtThorax) -> MadePair:
    return make_of(thorax, 0.0)


def test_a_pair_of_a_volume_has_what_the_task_says(pair: MadePair) -> None:
    check_parameters(pair_schema(RESTORATION), pair.facts.parameters)
    assert list(pair.arrays) == ["blurred", "radiograph", "lung", "nodules"]
    for name in ("blurred", "radiograph"):
        image = pair.arrays[name]
        assert image.dtype == np.float32
        assert (image.min(), image.max()) == (0, 1)
    assert set(np.unique(pair.arrays["lung"])) == {0, 1, 2}
    # Still the same picture, with less of what is fine.
    together = np.corrcoef(pair.arrays["blurred"].ravel(), pair.arrays["radiograph"].ravel())[0, 1]
    assert 0.9 < together < 0.9999


def test_words_of_nodules_are_those_of_their_labels(pair: MadePair) -> None:
    drawn, labels = pair.facts.parameters, pair.arrays["nodules"]
    count = drawn["nodule_count"]
    assert count in (1, 2, 3)
    columns = [name for name in drawn if name.startswith("nodule_") and name != "nodule_count"]
    words = {name: str(drawn[name]).split() for name in columns}
    assert {len(found) for found in words.values()} == {count}
    for number in range(1, int(count) + 1):
        rows, across = np.nonzero(labels == number)
        if words["nodule_place"][number - 1] == "outside":
            assert len(rows) == 0
            continue
        assert rows.mean() == pytest.approx(float(words["nodule_row"][number - 1]), abs=0.01)
        assert across.mean() == pytest.approx(float(words["nodule_column"][number - 1]), abs=0.01)
        diameter = float(words["nodule_diameter_mm"][number - 1])
        assert 20 <= diameter <= 30
        assert float(words["nodule_path_mm"][number - 1]) < 1.6 * diameter
        area_mm2 = len(rows) * float(pair.facts.pixel_mm or 0) ** 2
        assert 0.4 < area_mm2 / (np.pi / 4 * diameter**2) < 2
    assert labels.max() <= count


def test_without_nodules_the_same_seed_gives_the_same_picture(
    pair: MadePair, twin: MadePair
) -> None:
    labels = pair.arrays["nodules"]
    assert not twin.arrays["nodules"].any()
    assert twin.facts.parameters["nodule_count"] == 0
    assert twin.facts.parameters["nodule_diameter_mm"] is None
    assert np.array_equal(twin.arrays["lung"] > 0, pair.arrays["lung"] > 0)
    difference = pair.arrays["radiograph"] - twin.arrays["radiograph"]
    far = cv2.dilate(labels, np.ones((7, 7), np.uint8)) == 0
    assert np.abs(difference[far]).max() < 0.02
    assert difference[labels > 0].mean() > 0.02


def test_a_phantom_needs_no_input() -> None:
    simulator = Simulator(options(origin="phantom", nodules=1))
    subject = simulator.subjects(1).lines[0]
    item = PairItem(0, 0, "a", subject.patient_id, "train", "phantom", None, "none", 5)
    made = simulator.make(item)
    assert made.arrays["nodules"].shape == (64, 64)
    assert made.facts.parameters["sex"] in ("F", "M")
    assert simulator.settings()["degrader"] == "drr"


@pytest.fixture
def known_chest(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(image: Float32Map) -> LungPrediction:
        seen = np.corrcoef(image.ravel(), CHEST.ravel())[0, 1] > 0.9
        lungs = LUNGS * np.float32(seen)
        return LungPrediction((lungs > 0).astype(np.float32), lungs, 150 * lungs)

    path = "dfsynth.simulation.origins.radiograph_library.load_lung_network"
    monkeypatch.setattr(path, lambda _: (read, None))


@pytest.mark.usefixtures("known_chest")
def test_a_radiograph_is_undone_for_a_plain_partner(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), CHEST)
    item = PairItem(0, 0, "a", "cxr:a.png", "train", "cxr", "a.png", "unknown", 5)
    usual, plain = (
        Simulator(options(cxr=tmp_path, size=SIDE, blurred_look=look)).make(item)
        for look in ("archive", "plain")
    )
    order = np.argsort(usual.arrays["radiograph"], axis=None)
    assert (np.diff(plain.arrays["radiograph"].ravel()[order]) > -1e-5).all()
    assert not np.array_equal(usual.arrays["blurred"], plain.arrays["blurred"])
    assert usual.facts.parameters["degrader"] == "drr"
    assert plain.facts.parameters["degrader"] == "drr, plain"
    assert usual.facts.parameters["sample_columns"] == plain.facts.parameters["sample_columns"]


@pytest.mark.usefixtures("known_chest")
def test_a_radiograph_is_the_target_and_inverted_ones_are_left_out(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), CHEST)
    cv2.imwrite(str(tmp_path / "inverted.png"), 255 - CHEST)
    simulator = Simulator(options(cxr=tmp_path, size=SIDE, degrader="bicubic"))
    found = simulator.subjects(2)
    assert [line.source for line in found.lines] == ["a.png", "a.png"]
    assert found.excluded == {"not_a_chest": 1}
    item = PairItem(0, 0, "a", "cxr:a.png", "train", "cxr", "a.png", "unknown", 5)
    made = simulator.make(item)
    target = made.arrays["radiograph"]
    assert np.corrcoef(target.ravel(), CHEST.ravel())[0, 1] > 0.999
    assert made.facts.truth == "simulated"
    assert made.facts.parameters["nodule_count"] is None
    assert made.facts.parameters["degrader"] == "bicubic"
    assert 1 in made.arrays["lung"]


def test_cropped_lungs_are_refused_with_the_edge() -> None:
    field = np.zeros((64, 64), np.bool_)
    field[10:64, 8:28] = field[10:64, 36:56] = True
    content = (slice(0, 64), slice(0, 64))
    with pytest.raises(ImageError, match=r"cropped: lung takes 62% of its lower edge, expected"):
        require_whole_lungs(LungRegions(field, field), content)
    field[58:] = False
    require_whole_lungs(LungRegions(field, field), content)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "expected --ct DIR, --cxr DIR or --origin phantom"),
        ({"cxr": "a", "nodules": 0.7}, "--nodules 0.7: expected nothing of the kind"),
        ({"cxr": "a", "nodule_mm": "5:9"}, "--nodule-mm 5:9: expected nothing of the kind"),
        ({"cxr": "a", "blurred_look": "soft"}, "--blurred-look soft: expected"),
        ({"ct": "a", "blurred_look": "plain", "degrader": "b"}, "expected --degrader drr or bic"),
        ({"blurred_look": "plain", "task": "pet-ct"}, "--blurred-look: expected with --task res"),
        ({"ct": "a", "nodules": 1.5}, "--nodules 1.5: expected a share"),
        ({"ct": "a", "nodule_mm": "1:9"}, "--nodule-mm 1:9: expected MIN:MAX"),
        ({"ct": "a", "size": 100}, "--size 100"),
        ({"ct": "a", "without": "noise"}, "--without noise: expected with"),
        (
            {"ct": "a", "task": "dark-field-ct", "origin": "ct", "degrader": "bicubic"},
            "restoration",
        ),
    ],
)
def test_options_that_cannot_be_are_refused(given, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        options(**given)


@pytest.mark.parametrize(
    ("given", "origin"),
    [({"ct": "a"}, "ct"), ({"cxr": "a"}, "cxr"), ({"ct": "a", "cxr": "b"}, "mixed")],
)
def test_folders_say_what_pairs_are_made_of(given, origin: str) -> None:
    assert options(**given).origin == origin
    assert SimulateOptions.of(out="p.zarr", n=2).origin == "phantom"
