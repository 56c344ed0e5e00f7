"""Files of version 0.1.0 are read as it read them, and its commands go on with them.

`tests/data/v0_1/README.md` says what the files are and how they were made. Commands and options
have the spellings of version 0.1.0.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from store_content import plain_array

import dfsynth
from dfsynth.manifest import IMAGE_SCHEMAS, encode_part, read_part, rows_of

FILES = Path(__file__).resolve().parents[1] / "data" / "v0_1"
EXPECTED: dict[str, Any] = json.loads((FILES / "expected.json").read_text(encoding="utf-8"))
STORES = ("images", "pairs")
MAPS = ("dark_field", "aleatoric", "epistemic", "attenuation", "lung")

RunCli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A copy to write to, with the empty folders that 0.1.0 made and git does not keep."""
    copy = tmp_path / "v0_1"
    shutil.copytree(FILES, copy)
    for folder in ("images.zarr/run/tmp", "pairs.zarr/run/tmp", "run/tmp", "run/panels"):
        (copy / folder).mkdir()
    return copy


@pytest.fixture
def run_json(run_cli: RunCli) -> Callable[..., Any]:
    """Runs a command that must succeed; gives the JSON that it prints."""

    def run(*arguments: object) -> Any:
        status, out, err = run_cli(*arguments, "--json")
        assert status == 0, err
        return json.loads(out)

    return run


def build_command(files: Path) -> tuple[object, ...]:
    """The command that made `images.zarr`."""
    return (
        *("build", "--source", files / "radiographs" / "table.csv", "--out", files / "images.zarr"),
        *("--checkpoint", files / "checkpoint", "--mc-samples", 2, "--seed", 1, "--shard", "0/1"),
        *("--precision", "fp32", "--device", "cpu", "--shard-size", 3, "--maps", ",".join(MAPS)),
    )


def train_command(files: Path) -> tuple[object, ...]:
    """The command that made `run`."""
    return (
        *("train", files / "recipe.toml", "--data", files / "pairs.zarr", "--out", files / "run"),
        *("--precision", "fp32", "--device", "cpu"),
    )


def arrays_of(store: Path) -> dict[str, np.ndarray]:
    opened = dfsynth.open_store(store)
    return {name: plain_array(opened, name) for name in opened.maps}


def manifest_of(store: Path) -> list[dict[str, Any]]:
    """The manifest without timings."""
    rows: list[dict[str, Any]] = dfsynth.open_store(store).manifest.to_pylist()
    return [{name: row[name] for name in row if name != "seconds"} for row in rows]


def bytes_by_pyarrow(part: Path) -> bytes:
    """The rows of a part as the pyarrow that is installed writes them, with the settings of 0.1.0.

    These are the bytes of the file itself where that pyarrow wrote it.
    """
    sink = pa.BufferOutputStream()
    table = pq.read_table(part, partitioning=None)
    pq.write_table(table, sink, compression="zstd", use_dictionary=False)
    return bytes(sink.getvalue().to_pybytes())


def metrics_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def assert_close(found: object, expected: object, *, rel: float, abs: float | None = None) -> None:
    """Equal in all but the last digits of floats."""
    if isinstance(expected, dict):
        assert isinstance(found, dict)
        assert found.keys() >= expected.keys()
        for name, value in expected.items():
            assert_close(found[name], value, rel=rel, abs=abs)
    elif isinstance(expected, list):
        assert isinstance(found, list)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other, rel=rel, abs=abs)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=rel, abs=abs)
    else:
        assert found == expected


@pytest.mark.parametrize("name", STORES)
def test_arrays_hold_the_values_that_were_written(name: str) -> None:
    expected = EXPECTED[name]["arrays"]
    found = arrays_of(FILES / f"{name}.zarr")
    assert found.keys() == expected.keys()
    for array, values in found.items():
        facts = expected[array]
        assert (values.dtype.name, list(values.shape)) == (facts["dtype"], facts["shape"])
        middle = values.shape[1] // 2
        assert values[0, middle, middle - 2 : middle + 2].tolist() == facts["row_0_middle"]
        plain = values.astype(values.dtype.newbyteorder("<")).tobytes()
        assert hashlib.sha256(plain).hexdigest() == facts["sha256"], array


@pytest.mark.parametrize("name", STORES)
def test_the_manifest_holds_the_rows_that_were_written(name: str) -> None:
    found = manifest_of(FILES / f"{name}.zarr")
    expected = EXPECTED[name]["manifest"]
    assert len(found) == len(expected)
    for row, written in zip(found, expected, strict=True):
        # Later versions may know more columns.
        assert {column: row[column] for column in written} == written


def test_the_failed_row_keeps_its_place_and_its_reason() -> None:
    store = dfsynth.open_store(FILES / "images.zarr")
    failed = [row for row in store.manifest.to_pylist() if row["status"] == "failed"]
    assert [(row["image_id"], row["row"], row["error_code"]) for row in failed] == [
        ("cut.png", 2, "truncated")
    ]
    assert all(np.isnan(store.read(name, 2)).all() for name in store.maps)


@pytest.mark.parametrize("name", STORES)
def test_provenance_says_what_it_said(name: str) -> None:
    expected = EXPECTED[name]["info"]["provenance"]
    found = dict(dfsynth.open_store(FILES / f"{name}.zarr").provenance)
    assert json.loads(json.dumps({key: found[key] for key in expected})) == expected
    assert expected["software"]["dfsynth"] == "0.1.0"


def test_a_data_set_of_chosen_images() -> None:
    store = dfsynth.open_store(FILES / "images.zarr")
    data = store.dataset(where="view = 'PA'", keep=0.5, maps=("dark_field", "aleatoric"))
    samples = [data[number] for number in range(len(data))]
    assert [sample["image_id"] for sample in samples] == ["a.png", "b.png"]
    wanted = torch.from_numpy(store.read("aleatoric", 1).astype(np.float32))
    torch.testing.assert_close(samples[1]["maps"][1], wanted, rtol=0, atol=0)


@pytest.mark.parametrize("name", STORES)
def test_info_counts_what_it_counted(name: str, files: Path, run_json: Callable[..., Any]) -> None:
    found = run_json("info", files / f"{name}.zarr")
    expected = EXPECTED[name]["info"]
    assert found.keys() >= expected.keys()
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize("name", STORES)
def test_verify_finds_every_image_intact(
    name: str, files: Path, run_json: Callable[..., Any]
) -> None:
    found = run_json("verify", files / f"{name}.zarr")
    expected = EXPECTED[name]["info"]
    assert (found["shards"], found["images"]) == (expected["shards"], expected["rows"])
    assert found["damage"] == []


def test_verify_finds_a_changed_byte(files: Path, run_cli: RunCli) -> None:
    chunk = files / "images.zarr" / "dark_field" / "c.1.0.0"
    damaged = bytearray(chunk.read_bytes())
    damaged[100] ^= 0xFF
    chunk.write_bytes(damaged)
    status, out, _ = run_cli("verify", files / "images.zarr", "--json")
    assert status == 1
    assert {entry["shard"] for entry in json.loads(out)["damage"]} == {1}


@pytest.mark.parametrize("choice", list(EXPECTED["filter"]))
def test_filter_keeps_what_it_kept(choice: str, files: Path, run_json: Callable[..., Any]) -> None:
    option, value = choice.split(" ", 1)
    found = run_json("filter", files / "images.zarr", option, value)
    expected = EXPECTED["filter"][choice]
    assert {key: found[key] for key in expected} == expected


def test_show_draws_both_stores(files: Path, run_json: Callable[..., Any]) -> None:
    for name, ids in (
        ("images", ["a.png", "b.png", "c.png", "d.png"]),
        ("pairs", ["pair-0000000", "pair-0000001", "pair-0000002"]),
    ):
        image = files / f"{name}.png"
        found = run_json("show", files / f"{name}.zarr", "--out", image)
        assert (found["images"], found["blank"]) == (ids, 0)
        assert image.stat().st_size > 10_000


def test_report_shows_both_stores(files: Path, run_json: Callable[..., Any]) -> None:
    for name in ("images", "pairs"):
        out = files / f"{name}-report"
        found = run_json("report", files / f"{name}.zarr", "--out", out)
        assert found["images"] == found["thumbnails"] > 0
        html = (out / "index.html").read_text()
        assert ("no lung found" in html) is (name == "images")
        assert "noise_uncertainty" not in html, "it has no such column"


def test_the_same_build_finds_the_store_finished(files: Path, run_json: Callable[..., Any]) -> None:
    found = run_json(*build_command(files))
    assert (found["resumed"], found["shards_done"]) == (True, 2)
    assert (found["ok"], found["failed"]) == (0, 0)
    assert manifest_of(files / "images.zarr") == manifest_of(FILES / "images.zarr")


def test_the_same_build_finishes_the_store(files: Path, run_json: Callable[..., Any]) -> None:
    store = files / "images.zarr"
    (store / "manifest" / "part-0000001.parquet").unlink()
    for chunk in store.glob("*/c.1.0.0"):
        chunk.unlink()
    found = run_json(*build_command(files))
    assert (found["resumed"], found["shards_done"], found["ok"]) == (True, 2, 2)
    before = arrays_of(FILES / "images.zarr")
    for name, values in arrays_of(store).items():
        np.testing.assert_allclose(values, before[name], rtol=2e-3, atol=1e-4, err_msg=name)
    # Checksums are of every bit, and the last ones are the machine's.
    written = EXPECTED["images"]["manifest"]
    made = [{name: row[name] for name in written[0]} for row in manifest_of(store)]
    unsigned = [[row | {"checksum": None} for row in rows] for rows in (made, written)]
    assert_close(*unsigned, rel=1e-4)


@pytest.mark.parametrize("number", [0, 1])
def test_a_manifest_part_is_written_byte_for_byte_as_before(number: int) -> None:
    part = FILES / "images.zarr" / "manifest" / f"part-{number:07d}.parquet"
    expected = bytes_by_pyarrow(part)
    if f"version {pa.cpp_version}" in pq.read_metadata(part).created_by:
        expected = part.read_bytes()
    assert encode_part(rows_of(read_part(part)), IMAGE_SCHEMAS[1]) == expected


def test_a_finished_store_keeps_its_schema_and_documents(files: Path, run_cli: RunCli) -> None:
    """Beside the values, and the seconds that they took, nothing differs from what 0.1.0 wrote."""
    store, before = files / "images.zarr", FILES / "images.zarr"
    part = store / "manifest" / "part-0000001.parquet"
    part.unlink()
    for chunk in store.glob("*/c.1.0.0"):
        chunk.unlink()
    status, _, err = run_cli(*build_command(files))
    assert status == 0, err
    schema = pq.read_schema(before / "manifest" / part.name)
    assert pq.read_schema(part).equals(schema, check_metadata=True)
    assert schema.metadata == {b"dfsynth.schema_version": b"1"}
    assert part.read_bytes() == bytes_by_pyarrow(part)
    documents = [path.relative_to(before) for path in before.rglob("*.json")]
    assert len(documents) > len(MAPS)
    for document in (*documents, Path("run", "plan.parquet")):
        assert (store / document).read_bytes() == (before / document).read_bytes(), document


def test_the_same_build_with_another_type_is_refused(files: Path, run_cli: RunCli) -> None:
    assert run_cli(*build_command(files), "--dtype", "float16")[0] == 0
    status, _, err = run_cli(*build_command(files), "--dtype", "float32-rounded")
    assert status == 2
    line = " ".join(err.split())
    assert 'dtype: the store has "float16", asked for "float32"' in line
    assert "keepbits: the store has null, asked for 10" in line


@pytest.mark.parametrize("name", STORES)
def test_a_repair_writes_the_documents_that_were_there(
    name: str, files: Path, run_json: Callable[..., Any], run_cli: RunCli
) -> None:
    document = files / f"{name}.zarr" / "zarr.json"
    whole = document.read_bytes()
    document.write_bytes(whole.replace(b"dark_field", b"dark-field"))
    assert run_cli("verify", files / f"{name}.zarr", "--repair")[0] == 1
    assert document.read_bytes() == whole
    assert run_json("verify", files / f"{name}.zarr")["damage"] == []


@pytest.mark.parametrize("name", STORES)
def test_to_xarray_gives_float32_and_says_what_the_arrays_are(name: str) -> None:
    store = dfsynth.open_store(FILES / f"{name}.zarr")
    found = store.to_xarray()
    values = found["dark_field"]
    assert values.dtype == np.float32
    assert values.attrs["units"] == "1"
    assert values.attrs["keepbits"] == (10 if name == "images" else 23)
    np.testing.assert_array_equal(values, plain_array(store, "dark_field").astype(np.float32))


def test_columns_that_came_later_read_as_null() -> None:
    store = FILES / "images.zarr"
    later = {"predicted_error", "error_bound", "noise_uncertainty", "patient_uncertainty"}
    later |= {"structure_uncertainty_lung", "structure_uncertainty_outside"}
    later |= {"findings_negative", "findings_uncertain"}
    known = set(EXPECTED["images"]["manifest"][0])
    found = manifest_of(store)
    assert all(row.keys() - known == later for row in found)
    assert all(row[name] is None for row in found for name in later)
    assert not later & set(pq.read_table(store / "manifest").column_names)


@pytest.mark.parametrize(
    "choice",
    [("--where", "predicted_error < 0.3"), ("--keep", 0.7, "--by", "predicted_error")],
)
def test_a_filter_by_a_column_that_came_later_says_what_to_do(
    choice: tuple[object, ...], run_cli: RunCli
) -> None:
    status, _, err = run_cli("filter", FILES / "images.zarr", *choice)
    assert status == 2
    line = " ".join(err.split())
    assert "'predicted_error' is null for every image of the store" in line
    assert "the store is of schema version 1, made before there was that column" in line
    assert "build a new store with one of them, or go by another column" in line
    assert "packaged checkpoint" in line


def test_another_build_is_refused(files: Path, run_cli: RunCli) -> None:
    status, _, err = run_cli(*build_command(files), "--seed", 2)
    assert status == 2
    assert "seed: the store has 1, asked for 2" in err


def test_the_same_simulation_finds_the_store_finished(
    files: Path, run_json: Callable[..., Any]
) -> None:
    found = run_json(
        *("simulate", "--out", files / "pairs.zarr", "--n", 3, "--size", 64, "--seed", 4),
        *("--shard-size", 2, "--devices", 0.5, "--severity", "0:0.6"),
        *("--without", "stripes,moire", "--device", "cpu"),
    )
    assert (found["resumed"], found["shards_done"]) == (True, 2)
    assert (found["ok"], found["failed"]) == (0, 0)


def test_the_checkpoint_makes_what_it_made() -> None:
    generator = dfsynth.load_generator(
        str(FILES / "checkpoint"), device="cpu", precision="fp32", mc_samples=4, seed=5
    )
    images = plain_array(dfsynth.open_store(FILES / "images.zarr"), "attenuation")
    found = generator(images[:1].astype(np.float32), ["a.png"])
    with np.load(FILES / "generated.npz", allow_pickle=False) as expected:
        assert set(expected) == {"mean", "aleatoric", "epistemic", "lung"}
        for name, values in expected.items():
            assert values.std() > 1e-3
            np.testing.assert_allclose(
                getattr(found, name), values, rtol=0, atol=1e-5, err_msg=name
            )


def test_the_checkpoint_is_evaluated_as_it_was(files: Path, run_json: Callable[..., Any]) -> None:
    found = run_json(
        *("evaluate", files / "checkpoint", "--data", files / "pairs.zarr", "--split", "all"),
        *("--mc-samples", 2, "--precision", "fp32", "--device", "cpu"),
    )
    card = json.loads((files / "checkpoint" / "model.json").read_text())
    assert found["calibration"]["source"] == "card"
    assert found["calibration"]["stages"][-1] == card["calibration"]
    values = [
        {
            region: {figure: stage[region]["noisy"][figure]["value"] for figure in figures}
            for region, figures in expected.items()
        }
        for stage, expected in zip(found["stages"], EXPECTED["evaluation"]["stages"], strict=True)
    ]
    assert found["images"] == EXPECTED["evaluation"]["images"]
    assert_close(values, EXPECTED["evaluation"]["stages"], rel=1e-3)


def test_the_stopped_training_goes_on_to_its_end(files: Path, run_json: Callable[..., Any]) -> None:
    expected = EXPECTED["run"]
    before, steps = metrics_of(FILES / "run"), expected["steps"]
    found = run_json(*train_command(files))
    assert (found["steps"], found["steps_now"]) == (steps, steps - expected["stopped_after"])
    assert found["bad_steps"] == 0

    # The curve of a run that nothing stopped: all of the state was read, moments included.
    curve = metrics_of(files / "run")
    assert curve[: len(before)] == before
    assert_close(curve[len(before) :], expected["metrics_after"], rel=1e-3, abs=1e-4)
    scores = [line["val_nll"] for line in expected["metrics_after"] if "val_nll" in line]
    assert found["best_score"] == pytest.approx(min(scores), rel=1e-3)

    best = files / "run" / "best"
    assert json.loads((best / "model.json").read_text())["metrics"]["step"] == steps
    generator = dfsynth.load_generator(str(best), device="cpu", precision="fp32", mc_samples=2)
    made = generator(np.linspace(0, 1, 256, dtype=np.float32).reshape(1, 16, 16))
    assert np.isfinite(made.mean).all()
    assert made.mean.std() > 1e-4

    assert run_json(*train_command(files))["steps_now"] == 0


def test_another_training_in_the_run_folder_is_refused(files: Path, run_cli: RunCli) -> None:
    recipe = files / "recipe.toml"
    recipe.write_text(recipe.read_text().replace("seed = 3", "seed = 4"))
    status, _, err = run_cli(*train_command(files))
    assert status == 2
    assert "recipe.seed was 3, asked for 4" in err


def test_the_best_of_the_stopped_training_is_a_checkpoint(
    files: Path, run_json: Callable[..., Any]
) -> None:
    out = files / "by-the-run.zarr"
    found = run_json(
        *("build", "--source", files / "radiographs", "--out", out, "--device", "cpu"),
        *("--checkpoint", files / "run" / "best", "--mc-samples", 2, "--precision", "fp32"),
    )
    assert (found["ok"], found["failed"]) == (4, 1)
    provenance = dfsynth.open_store(out).provenance
    assert provenance["grid_size"] == [16, 16]
