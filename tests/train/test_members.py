"""A member of an ensemble: its own seed, weights and draw of patients, and a run of its own."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pair_files import write_pair_folders
from safetensors.torch import load_file
from support_training import prepared, toy_recipe, write_recipe

from dfsynth.checkpoint import read_checkpoint
from dfsynth.datasets import DeviceAugmentation, PairInfo
from dfsynth.errors import ConflictError
from dfsynth.options import TrainOptions
from dfsynth.progress import SilentTraining
from dfsynth.train import TrainReport, prepare_training, run_training
from dfsynth.train.preparation import PreparedTraining, draw_patients
from dfsynth.train.recipe_file import read_recipe

LINES = (
    "[network]",
    "stages = 1",
    "widths = [8, 16]",
    "backbone = 'coarse'",
    "[augmentation]",
    "shifts = 0.5",
    "[loss]",
    "adversarial = 0.0",
    "residual_box = 3",
    "[validation]",
    "every_steps = 2",
    "most_pairs = 2",
    "panel_pairs = 1",
)


def rows_of(patients: list[int]) -> list[PairInfo]:
    """Pair n is of the patient that stands at place n."""
    return [PairInfo(f"n{n}", f"p{patient}", "train") for n, patient in enumerate(patients)]


@given(
    patients=st.lists(st.integers(0, 9), min_size=1, max_size=40),
    chosen=st.data(),
    seed=st.integers(0, 2**32 - 1),
)
def test_whole_patients_are_drawn_as_many_times_as_there_are_patients(
    patients: list[int], chosen: st.DataObject, seed: int
) -> None:
    rows = rows_of(patients)
    places = st.sets(st.integers(0, len(rows) - 1), min_size=1)
    indices = sorted(chosen.draw(places))
    found = Counter(draw_patients(rows, indices, seed))
    assert set(found) <= set(indices)
    times: dict[str, set[int]] = {}
    for index in indices:
        times.setdefault(rows[index].patient_id, set()).add(found[index])
    assert all(len(counts) == 1 for counts in times.values()), "a patient's pairs come together"
    assert sum(counts.pop() for counts in times.values()) == len(
        {rows[index].patient_id for index in indices}
    )


def test_a_draw_follows_its_seed() -> None:
    rows = rows_of(list(range(50)))
    one, same, other = (draw_patients(rows, range(50), seed) for seed in (1, 1, 2))
    assert one == same
    assert Counter(one) != Counter(other)


def test_a_draw_leaves_out_about_a_third_of_the_patients() -> None:
    rows = rows_of(list(range(2000)))
    distinct = len(set(draw_patients(rows, range(2000), 5)))
    # 1 − 1/e of many; its standard deviation here is 14.
    assert distinct == pytest.approx(0.632 * 2000, abs=70)


def test_a_draw_does_not_depend_on_the_order_of_the_rows() -> None:
    rows = rows_of([3, 1, 2, 1, 3, 0])
    forwards, backwards = (
        Counter(draw_patients(rows, order, 4)) for order in (range(6), range(5, -1, -1))
    )
    assert forwards == backwards


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_pair_folders(tmp_path_factory.mktemp("pairs"), 40)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recipe(tmp_path_factory.mktemp("recipe"), *LINES)


def options(
    recipe: Path, folders: tuple[Path, Path], out: Path, member: int | None
) -> TrainOptions:
    return TrainOptions(
        str(recipe), folders[0], out, targets=folders[1], member=member, precision="fp32"
    )


def test_a_member_has_its_own_seed_and_patients_and_the_others_validation(
    recipe: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    def prepare(member: int | None) -> PreparedTraining:
        return prepare_training(options(recipe, folders, tmp_path, member), SilentTraining())

    alone, first, second, again = (prepare(member) for member in (None, 0, 1, 0))
    assert alone.recipe.seed == read_recipe(recipe).seed
    assert len({p.recipe.seed for p in (alone, first, second)}) == 3
    assert again.identity() == first.identity()
    assert again.indices == first.indices
    assert replace(first.recipe, seed=0) == replace(alone.recipe, seed=0)
    assert len(set(alone.indices["train"])) == len(alone.indices["train"])
    for member in (first, second):
        assert set(member.indices["train"]) < set(alone.indices["train"])
        assert len(member.indices["train"]) == len(alone.indices["train"])
        assert {s: member.indices[s] for s in ("val", "test")} == {
            s: alone.indices[s] for s in ("val", "test")
        }
    assert first.indices["train"] != second.indices["train"]


def test_members_of_neighbouring_seeds_are_not_each_other(
    recipe: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    seeds = []
    for seed in range(3):
        path = tmp_path / f"{seed}.toml"
        path.write_text(f"seed = {seed}\n{recipe.read_text()}")
        for member in range(3):
            asked = options(path, folders, tmp_path, member)
            seeds.append(prepare_training(asked, SilentTraining()).recipe.seed)
    assert len(set(seeds)) == 9


def test_a_run_of_no_member_is_known_as_before() -> None:
    """Runs of 0.1.0 knew neither members nor shifts: both are named where they are asked for."""
    plain = prepared(toy_recipe())
    assert set(plain.identity()) == {"recipe", "data"}
    assert "shifts" not in plain.identity()["recipe"]["augmentation"]
    assert "misfit" not in plain.identity()["recipe"]["loss"]
    assert "score" not in plain.identity()["recipe"]["validation"]
    assert replace(plain, member=0).identity()["member"] == 0
    shifted = prepared(toy_recipe(augmentation=DeviceAugmentation(shifts=0.5)))
    assert shifted.identity()["recipe"]["augmentation"]["shifts"] == 0.5


def run(recipe: Path, folders: tuple[Path, Path], out: Path, member: int | None) -> TrainReport:
    return run_training(options(recipe, folders, out, member), SilentTraining())


def test_a_member_is_a_run_that_no_other_member_goes_on_with(
    recipe: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert run(recipe, folders, first, 0).steps == 4
    assert run(recipe, folders, first, 0).steps_now == 0
    for other, words in ((1, "member was 0, asked for 1"), (None, "member was 0")):
        with pytest.raises(ConflictError, match=words):
            run(recipe, folders, first, other)
    assert run(recipe, folders, second, 1).steps == 4
    weights = [load_file(out / "best" / "weights.safetensors") for out in (first, second)]
    name = "stages.0.encoder.stem.weight"
    # Further apart than four steps of training could bring them.
    assert float((weights[0][name] - weights[1][name]).abs().mean()) > 0.02
    cards = [read_checkpoint(out / "best").card for out in (first, second)]
    assert cards[0].arguments == cards[1].arguments
    assert cards[0].recipe["seed"] != cards[1].recipe["seed"]
    for card, member in zip(cards, (0, 1), strict=True):
        asked = options(recipe, folders, tmp_path, member)
        drawn = prepare_training(asked, SilentTraining()).indices["train"]
        assert sum(int(data["training_pairs"]) for data in card.training_data) == len(set(drawn))


def test_a_run_of_no_member_is_not_gone_on_with_by_one(
    recipe: Path, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    run(recipe, folders, tmp_path / "run", None)
    with pytest.raises(ConflictError, match=r"member was .*asked for 0"):
        run(recipe, folders, tmp_path / "run", 0)
