"""The tasks that come with dfsynth are whole, and a task that is not is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

import dfsynth
from dfsynth.errors import StoreError, UsageError
from dfsynth.files.json_record import encode_json, with_checksum
from dfsynth.files.toml_record import read_record_file
from dfsynth.records import IntensityRange, IntensityWindow
from dfsynth.resources import data_folder
from dfsynth.tasks import DEFAULT_TASK, Task, known_maps, task_named, task_names

CT = "dark-field-ct"


def read(path: Path) -> Task:
    return read_record_file(Task, path, "the task")


@pytest.mark.parametrize("name", task_names())
def test_each_is_named_as_its_file_and_says_that_all_is_synthetic(name: str) -> None:
    task = task_named(name)
    assert task.name == name
    assert task.notice.startswith("Synthetic images")
    assert "simulated" in task.pairs_notice.lower()
    for sentence in (task.notice, task.pairs_notice):
        assert "not for diagnosis" in sentence


@pytest.mark.parametrize("name", task_names())
def test_each_map_has_words_and_a_unit(name: str) -> None:
    task = task_named(name)
    assert set(task.map_words) == set(task.map_units("1/m")) <= set(known_maps())
    assert task.output_maps == (task.output.array, "aleatoric", "epistemic")
    assert all(task.map_units("x")[name] == "x" for name in task.output_maps)


def test_the_first_is_dark_field_radiography() -> None:
    assert task_names()[0] == DEFAULT_TASK == "dark-field-radiography"


def test_values_in_a_unit_are_taken_as_they_are_and_grey_values_between_percentiles() -> None:
    assert task_named(CT).input.convention == IntensityRange(0.0, 1.0, "1/m")
    assert task_named(DEFAULT_TASK).input.convention == IntensityWindow()


def test_an_input_comes_back_in_its_unit(tmp_path: Path) -> None:
    text = (data_folder("tasks") / f"{CT}.toml").read_text()
    scaled = tmp_path / "x.toml"
    text = text.replace('quantity = "input"\n', "")
    scaled.write_text(text.replace("intensity = [0.0, 1.0]", "intensity = [-1.0, 4.0]"))
    image = np.array([[-0.2, 0.0], [0.2, 1.5]], np.float32)
    np.testing.assert_allclose(
        read(scaled).input.restore(image), [[-2.0, -1.0], [0.0, 6.5]], rtol=1e-6
    )
    assert task_named(DEFAULT_TASK).input.restore(image) is image


def test_an_output_in_a_unit_is_near_0_to_1_in_the_network(tmp_path: Path) -> None:
    text = (data_folder("tasks") / f"{CT}.toml").read_text()
    noun = 'noun = "dark-field coefficient"\n'
    scaled = tmp_path / "x.toml"
    text = text.replace('quantity = "input"\n', "")
    scaled.write_text(text.replace(noun, noun + "intensity = [-2.0, 6.0]\n"))
    assert read(scaled).output.convention == IntensityRange(-2.0, 6.0, "1/m")
    assert all(task_named(name).output.convention is None for name in (CT, DEFAULT_TASK))


def test_a_task_without_lungs_says_nothing_of_any(tmp_path: Path) -> None:
    text = (data_folder("tasks") / f"{CT}.toml").read_text()
    for removed in ('metrics = ["streaks"]\n', 'lung = "lung_mask"\n', 'clean = "truth"\n'):
        assert removed in text
        text = text.replace(removed, "")
    (tmp_path / "x.toml").write_text(text)
    task = read(tmp_path / "x.toml")
    assert not task.has_lungs
    assert "lung" not in task.map_words
    assert "lung" not in task.map_units("1/m")


@pytest.mark.torch
def test_a_store_of_an_unknown_task_says_so(tmp_path: Path) -> None:
    out = tmp_path / "x.zarr"
    dfsynth.simulate_pairs(out, 1, size=64, progress=None)
    build = out / "run" / "build.json"
    held = json.loads(build.read_bytes())
    held.pop("checksum", None)
    held["fingerprint"]["task"] = "mri"
    build.write_bytes(encode_json(with_checksum(held)))
    with pytest.raises(StoreError, match=r"no task 'mri'.*take a newer version"):
        dfsynth.open_store(out)


def test_an_unknown_task_is_answered_by_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no task 'mri': expected dark-field-radiography or dark-"):
        task_named("mri")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('target = "multi_rotation"', 'target = "many"', r"no \[\[array\]\] is called 'many'"),
        ('name = "attenuation"', 'name = "truth"', "two of one name"),
        ('unit = "1/m"\nintensity', 'untit = "1/m"\nintensity', "did you mean 'input.unit'"),
        ("intensity = [0.0, 1.0]", "intensity = [1.0, 1.0]", "a low and a higher number"),
        ('noun = "', 'intensity = [2, 1]\nnoun = "', "a low and a higher number"),
        ('lung = "lung_mask"\n', "", "streaks need .* masks of lung"),
    ],
)
def test_a_file_that_is_wrong_is_refused_by_its_place(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    text = (data_folder("tasks") / f"{CT}.toml").read_text()
    assert old in text
    wrong = tmp_path / "x.toml"
    wrong.write_text(text.replace(old, new, 1))
    with pytest.raises(UsageError, match=said):
        read(wrong)


def test_an_input_of_another_unit_than_the_output_has_a_window_of_its_own() -> None:
    window = (0.0, 4.0)
    assert task_named(CT).input_window("1/m", window) == window
    assert task_named(DEFAULT_TASK).input_window("1", (0.0, 0.6)) == (0.0, 1.0)
    pet = task_named("pet-ct")
    assert pet.input_window("HU", (-1000.0, 1000.0)) == pet.input_array.window == (0.0, 1.0)
