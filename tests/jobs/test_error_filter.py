"""`--max-error`: what is promised, what it rests on, and when it is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from error_lines import one_line
from radiograph_files import write_folder
from small_cards import small_card
from toy_generator import ToyMaker
from toy_simulator import ToyPairMaker

import dfsynth
from dfsynth.checkpoint import (
    CalibrationRow,
    CascadeConfig,
    encode_card,
    read_checkpoint,
)
from dfsynth.checkpoint.files import write_checkpoint
from dfsynth.jobs.build import run_build
from dfsynth.jobs.simulate import run_simulation
from dfsynth.manifest import PROVENANCE_KEY
from dfsynth.options import BuildOptions, SimulateOptions
from dfsynth.progress import Silent

BY = ("--by", "epistemic_mean")
IMAGES = 9


def row(patient: int, score: float, error: float) -> CalibrationRow:
    origin = "ct" if patient % 3 == 0 else "phantom"
    return CalibrationRow(f"patient {patient}", origin, {"epistemic_mean": score}, error)


@pytest.fixture
def scores(tmp_path: Path) -> list[float]:
    """Epistemic means of the images, ascending, as every store of them has them."""
    build = run_build(options(tmp_path, tmp_path / "first.zarr"), ToyMaker(), Silent())
    assert build.ok == IMAGES
    table = dfsynth.open_store(tmp_path / "first.zarr").manifest
    return sorted(table["epistemic_mean"].to_numpy())


def options(tmp_path: Path, out: Path, **changed: Any) -> BuildOptions:
    if not (tmp_path / "images").exists():
        write_folder(tmp_path / "images", IMAGES)
    return BuildOptions(source=str(tmp_path / "images"), out=out, **changed)


@pytest.fixture
def rows(scores: list[float]) -> tuple[CalibrationRow, ...]:
    """40 patients: those up to the image of rank 6 err by 0.1, a little above it by 0.9."""
    reached = np.linspace(scores[0] / 2, scores[5], 36)
    beyond = np.linspace(scores[5] * (1 + 1e-6), scores[6] * (1 - 1e-6), 4)
    good = [row(i, float(s), 0.1) for i, s in enumerate(reached)]
    return (*good, *(row(36 + i, float(s), 0.9) for i, s in enumerate(beyond)))


Make = Callable[..., Path]


@pytest.fixture
def make_checkpoint(tmp_path: Path) -> Make:
    def make(name: str, *table: CalibrationRow, **changed: Any) -> Path:
        card = small_card(CascadeConfig(1, (8, 16)), name=name, error_calibration=table)
        write_checkpoint(tmp_path / name, b"weights", encode_card(replace(card, **changed)))
        return tmp_path / name

    return make


@pytest.fixture
def packaged(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Makes these checkpoints the packaged ones."""

    def offer(*folders: Path) -> None:
        packages = tmp_path_factory.mktemp("packages")
        for folder in folders:
            (packages / folder.name).symlink_to(folder)
        monkeypatch.setattr("dfsynth.checkpoint.files.data_folder", lambda _: packages)

    return offer


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Path]:
    """Builds a store as this checkpoint would."""

    def make(checkpoint: Path, **changed: Any) -> Path:
        out = tmp_path / "x.zarr"
        maker = ToyMaker(sha256=read_checkpoint(checkpoint).sha256)
        run_build(options(tmp_path, out, **changed), maker, Silent())
        return out

    return make


def test_images_up_to_the_threshold_are_kept_with_a_promise(
    run_cli, make_checkpoint, packaged, build, rows, scores, tmp_path
) -> None:
    checkpoint = make_checkpoint("toy", *rows)
    packaged(make_checkpoint("other"), checkpoint)
    store, kept = build(checkpoint), tmp_path / "kept.parquet"
    command = ("filter", store, "--max-error", 0.3, *BY, "--out", kept)
    status, out, err = run_cli(*command)
    assert (status, err) == (0, "")
    line = out.splitlines()[0]
    assert line.startswith(f"epistemic_mean <= {scores[5]:.4g} keeps 66.7 % of the images: ")
    assert "with a confidence of 95 % at most 10 % of them have an error above 0.3" in line
    assert line.endswith(
        "if they are exchangeable with the calibration images of toy, 40 patients (14 ct, 26 "
        "phantom) on whom the generator was not trained"
    )
    found = json.loads(run_cli(*command, "--json")[1])
    assert (found["kept"], found["total"]) == (6, IMAGES)
    assert found["kept_share"] == pytest.approx(6 / 9)
    promise = found["promise"]
    assert promise["threshold"] == pytest.approx(scores[5])
    assert promise["assumption"] in line
    assert (promise["patients"], promise["images"]) == (40, 40)
    assert promise["lowest_risk"] == pytest.approx(1 - 0.05 ** (1 / 40))
    table = pq.read_table(kept)
    assert table["epistemic_mean"].to_numpy().max() == scores[5]
    recorded = json.loads(json.loads(table.schema.metadata[PROVENANCE_KEY])["filter"])
    assert recorded["promise"] == promise
    assert recorded["by"] == "epistemic_mean"


def test_python_gives_the_same(make_checkpoint, packaged, build, rows, scores) -> None:
    checkpoint = make_checkpoint("toy", *rows)
    packaged()
    store = build(checkpoint)
    found = dfsynth.filter_store(
        str(store), max_error=0.3, by="epistemic_mean", checkpoint=str(checkpoint)
    )
    assert found.promise is not None
    assert found.kept == 6
    assert found.promise.threshold == pytest.approx(scores[5])
    # A condition leaves the threshold as it is.
    fewer = dfsynth.filter_store(
        store,
        max_error=0.3,
        by="epistemic_mean",
        checkpoint=str(checkpoint),
        where=f"epistemic_mean > {scores[2]}",
    )
    assert (fewer.kept, fewer.promise) == (3, found.promise)
    with pytest.raises(TypeError, match="no_such_option"):
        dfsynth.filter_store(store, no_such_option=1)  # type: ignore[call-arg]


def test_nothing_is_promised_where_nothing_is_asked(run_cli, make_checkpoint, build, rows) -> None:
    store = build(make_checkpoint("toy", *rows))
    found = json.loads(run_cli("filter", store, "--keep", 0.5, "--json")[1])
    assert found["promise"] is None
    assert found["kept_share"] == pytest.approx(5 / 9)


Refuses = Callable[..., str]


@pytest.fixture
def refuses(run_cli) -> Refuses:
    def message(store: Path, *arguments: object) -> str:
        before = sorted(store.parent.iterdir())
        out = store.parent / "kept.parquet"
        status, stdout, err = run_cli("filter", store, *arguments, "--out", out)
        assert (status, stdout) == (2, "")
        assert sorted(store.parent.iterdir()) == before, "a refusal writes nothing"
        return one_line(err)

    return message


def test_another_checkpoint_is_refused(refuses, make_checkpoint, packaged, build, rows) -> None:
    made, other = make_checkpoint("toy", *rows), make_checkpoint("other", *rows)
    store = build(made)
    packaged(other)
    line = refuses(store, "--max-error", 0.3, *BY, "--checkpoint", other)
    sums = [read_checkpoint(folder).sha256[:12] for folder in (made, other)]
    assert f"made by toy (sha256 {sums[0]}…), this one is other (sha256 {sums[1]}…)" in line
    line = refuses(store, "--max-error", 0.3, *BY)
    assert "toy" in line
    assert "no packaged checkpoint; name its folder with --checkpoint" in line
    # The packaged one of that name was made anew since.
    packaged(make_checkpoint("toy", *rows[1:]))
    assert "the packaged checkpoint of that name is another one" in refuses(
        store, "--max-error", 0.3, *BY
    )


def test_a_checkpoint_without_a_table_names_those_with_one(
    refuses, make_checkpoint, packaged, build, rows
) -> None:
    bare, with_table = make_checkpoint("bare"), make_checkpoint("with-table", *rows)
    packaged(bare, with_table)
    line = refuses(build(bare), "--max-error", 0.3, *BY)
    assert "bare has no error calibration" in line
    assert "packaged checkpoints that have it: with-table" in line
    assert "--calibrate PAIRS" in line


def test_a_null_column_names_the_checkpoints_that_fill_it(
    refuses, make_checkpoint, packaged, build, rows
) -> None:
    bare, filling = make_checkpoint("bare", *rows), make_checkpoint("filling", *rows)
    (filling / "scores.safetensors").write_bytes(b"heads")
    packaged(bare, filling)
    store = build(bare)
    for arguments in (("--max-error", 0.3), ("--keep", 0.5)):
        line = refuses(store, *arguments, "--by", "ood_score")
        assert "'ood_score' is null for every image of the store" in line
        assert "; packaged checkpoints that have them: filling; build a new" in line
    # The default column.
    line = refuses(store, "--max-error", 0.3)
    assert "'predicted_error'" in line
    assert "; packaged checkpoints that have them: filling; build a new" in line
    # What no checkpoint fills names none.
    assert refuses(store, "--keep", 0.5, "--by", "age").endswith("numbers to filter by")


def test_a_column_that_the_table_lacks_is_refused(
    refuses, make_checkpoint, packaged, build, rows
) -> None:
    checkpoint = make_checkpoint("toy", *rows)
    packaged(checkpoint)
    line = refuses(build(checkpoint), "--max-error", 0.3, "--by", "uncertainty")
    assert "have no uncertainty; expected one of epistemic_mean; choose with --by" in line


@pytest.mark.parametrize("changed", [{"size": (32, 32)}, {"mc_samples": 3}])
def test_a_store_that_was_built_otherwise_is_refused(
    refuses, make_checkpoint, packaged, build, rows, changed
) -> None:
    checkpoint = make_checkpoint("toy", *rows)
    packaged(checkpoint)
    line = refuses(build(checkpoint, **changed), "--max-error", 0.3, *BY)
    assert "the error calibration of toy at 16x16 with 20 samples" in line


def test_too_few_patients_say_what_they_could_promise(
    refuses, run_cli, make_checkpoint, packaged, build, rows
) -> None:
    # Ten images of each, which make them no more patients.
    table = [replace(r, patient_id=f"patient {i % 20}") for i, r in enumerate(rows[:36])]
    checkpoint = make_checkpoint("toy", *table)
    packaged(checkpoint)
    store = build(checkpoint)
    line = refuses(store, "--max-error", 0.3, *BY)
    assert "20 patients, who can promise no --risk below 0.139 at a confidence of 0.95" in line
    assert "expected 29 or more for --risk 0.1" in line
    assert run_cli("filter", store, "--max-error", 0.3, *BY, "--risk", 0.14)[0] == 0


def test_too_many_errors_say_what_could_be_promised(
    refuses, run_cli, make_checkpoint, packaged, build, rows
) -> None:
    worse = [replace(r, error=0.5123 if i % 5 == 0 else 0.1) for i, r in enumerate(rows)]
    checkpoint = make_checkpoint("toy", *worse)
    packaged(checkpoint)
    store = build(checkpoint)
    line = refuses(store, "--max-error", 0.3, *BY)
    assert "no threshold of epistemic_mean can promise errors of at most 0.3" in line
    best = line.partition("the best that they could promise is ")[2]
    risk, error = best.split(" or ")
    assert error == "--max-error 0.513 at --risk 0.1"
    for attainable in (risk, error):
        arguments = attainable.replace(" at ", " ").split()
        assert run_cli("filter", store, *BY, *arguments)[0] == 0


def test_pairs_were_made_by_no_generator(refuses, tmp_path: Path) -> None:
    store = tmp_path / "pairs.zarr"
    wanted = SimulateOptions(out=store, n=4, size=64)
    run_simulation(wanted, ToyPairMaker(wanted), Silent())
    assert "holds pairs, which no generator made" in refuses(store, "--max-error", 0.3)
