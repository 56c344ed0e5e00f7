"""What a checkpoint's heads say, from the generator to the filter; and stores without it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest
from radiograph_files import write_folder
from toy_generator import ToyMaker

import dfsynth
from dfsynth.errors import CheckpointError, UsageError
from dfsynth.jobs import build_planning
from dfsynth.jobs.build import run_build
from dfsynth.jobs.checkpoint_generator import CheckpointMaker
from dfsynth.jobs.engine import RunReport
from dfsynth.jobs.filter import Filtered
from dfsynth.jobs.info import describe_store
from dfsynth.jobs.verify import verify_store
from dfsynth.manifest import IMAGE_SCHEMAS, IMAGES, PROVENANCE_KEY, ManifestSchema
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.score import LEARNED_SCORES
from dfsynth.store import StoreLayout, remove_shard
from dfsynth.store.build_record import new_record
from dfsynth.store.opened import Store, open_store

Build = Callable[..., RunReport]

SAID = {name: 0.125 * (number + 1) for number, name in enumerate(LEARNED_SCORES)}


class Lines(Silent):
    """Keeps the messages."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "x.zarr"


@pytest.fixture
def build(tmp_path: Path, out: Path) -> Build:
    images = write_folder(tmp_path / "images", 5)

    def run(lines: Lines | None = None, **learned: Any) -> RunReport:
        options = BuildOptions(source=str(images), out=out, shard_size=3, workers=1)
        return run_build(options, ToyMaker(**learned), lines or Lines())

    return run


@pytest.fixture
def planned_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """New stores are planned as version 0.1 did, with version 1 of the schema."""

    def of_version_1(*arguments: Any) -> object:
        return replace(new_record(*arguments), schema_version=1)

    monkeypatch.setattr(build_planning, "new_record", of_version_1)


@pytest.fixture
def timeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """No image takes any time: manifests can then be compared byte by byte."""
    clock = SimpleNamespace(perf_counter=lambda: 0.0)
    monkeypatch.setattr("dfsynth.jobs.image_shards.time", clock)


def filter_manifest(out: Path, where: str | None, keep: float | None, by: str | None) -> Filtered:
    return dfsynth.filter_store(out, where=where, keep=keep, by=by)


def opened(out: Path) -> Store:
    return open_store(out)


def schemas_of(out: Path) -> list[ManifestSchema]:
    """The schema of every part, as its file has it."""
    parts = sorted(StoreLayout(out).manifest.iterdir())
    found = [pq.read_schema(part) for part in parts]
    by_version = {str(n).encode(): schema for n, schema in IMAGE_SCHEMAS.items()}
    schemas = [by_version[schema.metadata[b"dfsynth.schema_version"]] for schema in found]
    assert all(one.equals(known.arrow) for one, known in zip(found, schemas, strict=True))
    return schemas


def test_what_the_heads_say_stands_in_the_manifest(build: Build, out: Path) -> None:
    lines = Lines()
    build(lines, learned=SAID, learned_flags=("lateral", "devices"))
    assert not [line for line in lines.lines if "heads" in line]
    rows = opened(out).manifest.to_pylist()
    assert [{name: row[name] for name in SAID} for row in rows] == [SAID] * 5
    assert all(row["flags"][-2:] == ["lateral", "devices"] for row in rows)
    assert describe_store(out).flags["lateral"] == 5
    assert filter_manifest(out, "predicted_error > 0.1", 0.4, "error_bound").kept == 2
    assert filter_manifest(out, "list_contains(flags, 'lateral')", None, None).kept == 5


@pytest.mark.torch
def test_a_checkpoint_without_heads_builds_with_nulls_and_one_line(build: Build, out: Path) -> None:
    lines = Lines()
    build(lines)
    (said,) = [line for line in lines.lines if "heads" in line]
    assert said.startswith("the checkpoint toy has no heads for noise_uncertainty, ")
    assert "packaged checkpoint" in said
    assert "\n" not in said
    manifest = opened(out).manifest
    assert manifest.num_rows == 5
    assert all(manifest[name].null_count == 5 for name in LEARNED_SCORES)
    with pytest.raises(UsageError, match="'predicted_error' is null for every image"):
        filter_manifest(out, None, 0.5, "predicted_error")
    with pytest.raises(UsageError, match="'ood_score' is null for every image"):
        opened(out).dataset("ood_score < 3")


@pytest.mark.torch
def test_a_share_alone_is_kept_by_the_predicted_error(
    build: Build, out: Path, tmp_path: Path, run_cli: Callable[..., tuple[int, str, str]]
) -> None:
    """In filters, in data sets, and where the worst are drawn; the result says by which column."""
    build(learned=SAID)
    assert filter_manifest(out, None, 0.4, None).by == "predicted_error"
    assert filter_manifest(out, None, 0.4, "uncertainty").by == "uncertainty"
    assert filter_manifest(out, "row < 3", None, None).by is None
    kept = tmp_path / "kept.parquet"
    status, text, _ = run_cli("filter", out, "--keep", 0.4, "--out", kept)
    assert (status, text.splitlines()[0]) == (
        0,
        "2 of 5 images kept, those lowest in predicted_error",
    )
    recorded = json.loads(pq.read_schema(kept).metadata[PROVENANCE_KEY])["filter"]
    assert json.loads(recorded)["by"] == "predicted_error"
    # All are predicted alike: the first rows pass, which are not those of least uncertainty.
    rows = [row["row"] for row in opened(out).dataset(keep=0.4).table.to_pylist()]
    assert rows == [0, 1]
    sheet = run_cli("show", out, "--worst", 1, "--out", tmp_path / "worst.png", "--json")[1]
    assert json.loads(sheet)["ranking"]["by"] == "predicted_error"


@pytest.mark.torch
def test_without_heads_a_share_alone_is_kept_by_uncertainty(
    build: Build, out: Path, tmp_path: Path, run_cli: Callable[..., tuple[int, str, str]]
) -> None:
    build()
    found = filter_manifest(out, None, 0.4, None)
    assert (found.by, found.kept) == ("uncertainty", 2)
    said = run_cli("filter", out, "--keep", 0.4)[1]
    assert said.startswith("2 of 5 images kept, those lowest in uncertainty")
    by_default, named = (
        opened(out).dataset(keep=0.4, by=by).table["row"].to_pylist()
        for by in (None, "uncertainty")
    )
    assert by_default == named
    sheet = run_cli("show", out, "--worst", 1, "--out", tmp_path / "worst.png", "--json")[1]
    assert json.loads(sheet)["ranking"]["by"] == "uncertainty"


def test_a_finished_store_says_nothing_of_heads(build: Build) -> None:
    build()
    lines = Lines()
    build(lines)
    assert not lines.lines


def test_an_image_without_a_finite_score_fails_and_says_why(build: Build, out: Path) -> None:
    report = build(learned={**SAID, "error_bound": float("nan")})
    assert (report.ok, report.failed) == (0, 5)
    row = opened(out).manifest.to_pylist()[0]
    assert row["error_code"] == "non_finite"
    assert row["error"] == "the checkpoint's heads give no finite value for error_bound"


def test_heads_of_a_later_version_end_the_run(build: Build, out: Path) -> None:
    with pytest.raises(CheckpointError, match="flag 'blurred'; this version of dfsynth knows"):
        build(learned=SAID, learned_flags=("blurred",))
    assert not StoreLayout(out).committed_shards()


def test_a_new_store_has_the_newest_schema(build: Build, out: Path) -> None:
    build(learned=SAID)
    assert schemas_of(out) == [IMAGES] * 2
    assert opened(out).provenance["schema_version"] == IMAGES.version


@pytest.mark.usefixtures("planned_as_before", "timeless")
def test_a_store_of_version_1_goes_on_in_version_1(build: Build, out: Path) -> None:
    layout = StoreLayout(out)
    build()
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    remove_shard(layout, [spec.name for spec in opened(out).record.arrays], 1)
    assert build().resumed
    assert schemas_of(out) == [IMAGE_SCHEMAS[1]] * 2
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


@pytest.mark.usefixtures("planned_as_before")
def test_a_store_of_version_1_is_read_verified_and_repaired(build: Build, out: Path) -> None:
    layout = StoreLayout(out)
    build()
    assert opened(out).provenance["schema_version"] == 1
    assert not verify_store(out, repair=False, progress=Silent()).damage
    assert opened(out).manifest["predicted_error"].null_count == 5
    found = filter_manifest(out, None, 0.4, None)
    assert (found.by, found.kept) == ("uncertainty", 2)
    with pytest.raises(UsageError, match="schema version 1, made before there was that column"):
        filter_manifest(out, "predicted_error < 0.2", None, None)

    (out / "zarr.json").write_text("{}")
    layout.part(0).write_bytes(b"damaged")
    assert verify_store(out, repair=True, progress=Silent()).requeued == (0,)
    assert build().ok == 3
    assert not verify_store(out, repair=False, progress=Silent()).damage
    assert schemas_of(out) == [IMAGE_SCHEMAS[1]] * 2


def test_a_part_of_another_version_is_damage(build: Build, out: Path) -> None:
    build()
    record = opened(out).record
    StoreLayout(out).build.write_bytes(replace(record, schema_version=1).to_json())
    found = verify_store(out, repair=False, progress=Silent()).damage
    assert [damage.what for damage in found if "its store has version 1" in damage.what]


def test_a_checkpoint_with_heads_says_so(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "with-heads"
    folder.mkdir()
    for path in tiny_checkpoint.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())

    def facts_of(checkpoint: Path) -> Any:
        options = BuildOptions(source="x", out=tmp_path / "y.zarr", checkpoint=str(checkpoint))
        return CheckpointMaker(options).facts

    assert facts_of(folder) == facts_of(tiny_checkpoint)
    assert not facts_of(folder).has_learned_scores
    (folder / "scores.safetensors").write_bytes(b"heads")
    assert facts_of(folder).has_learned_scores


@pytest.mark.parametrize(
    "arguments",
    [
        ("filter", "--keep", 0.5, "--by", "predicted_error"),
        ("filter", "--where", "predicted_error < 0.1"),
        ("show", "--worst", 1, "--by", "predicted_error"),
        ("show", "--where", "predicted_error < 0.1"),
        ("export", "--to", "png", "--where", "predicted_error < 0.1"),
    ],
)
def test_checkpoints_of_another_task_are_no_advice(
    tmp_path: Path, out: Path, run_cli: Any, arguments: tuple[Any, ...]
) -> None:
    options = BuildOptions(
        source=str(write_folder(tmp_path / "images", 3)), out=out, shard_size=3, workers=1
    )
    maker = ToyMaker()
    maker.facts = replace(maker.facts, task="restoration", has_lung=False)
    run_build(options, maker, Lines())
    command, *rest = arguments
    written = {"filter": "kept.csv", "show": "drawn.png", "export": "images"}
    status, _, err = run_cli(command, out, *rest, "--out", tmp_path / written[command])
    assert (status, err.count("\n")) == (2, 1)
    assert "'predicted_error' is null for every image of the store" in err
    assert "no packaged checkpoint for restoration has them" in err
    assert "has them; go by another column, such as uncertainty" in err
    assert "build a new store" not in err, "no checkpoint would make a better one"
    assert "default" not in err
