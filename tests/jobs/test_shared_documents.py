"""What a run writes as it begins, with another run at its end at every moment of it."""

from pathlib import Path

import pytest
from radiograph_files import write_folder, write_image
from store_content import assert_equal_stores
from toy_generator import ToyMaker

from dfsynth.description import CardState, card_state, gather_facts
from dfsynth.errors import ConflictError
from dfsynth.files.durable import DurableFile
from dfsynth.files.locks import DOCUMENTS, RunLock
from dfsynth.jobs import planning, store_card
from dfsynth.jobs.build import run_build
from dfsynth.jobs.store_card import finish_card
from dfsynth.jobs.verify import verify_store
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent, Told
from dfsynth.store import StoreLayout

FORMATS = ["x.zarr", "x.h5"]


def build(images: Path, out: Path, told: Told | None = None, seed: int = 0, **more):
    options = BuildOptions.of(source=images, out=out, shard_size=2, workers=1, seed=seed, **more)
    return run_build(options, ToyMaker(batch_size=1, seed=seed), told or Silent())


def require_finished(out: Path) -> None:
    layout = StoreLayout(out)
    assert verify_store(out, False, Silent()).damage == ()
    assert card_state(layout.card.read_bytes()) is CardState.FINISHED
    assert list(layout.scratch.iterdir()) == []


@pytest.fixture
def images(tmp_path) -> Path:
    return write_folder(tmp_path / "images", 3)


@pytest.fixture
def end_others(monkeypatch):
    """Before each file of a store gets its name, another run ends, which sweeps what it may."""
    publish = DurableFile.publish

    def begin(layout: StoreLayout) -> None:
        def end_another_and_publish(file: DurableFile) -> None:
            monkeypatch.setattr(DurableFile, "publish", publish)
            with RunLock(layout.lock) as lock:
                finish_card(layout, lock)
            monkeypatch.setattr(DurableFile, "publish", end_another_and_publish)
            publish(file)

        monkeypatch.setattr(DurableFile, "publish", end_another_and_publish)

    return begin


@pytest.mark.parametrize("name", FORMATS)
def test_a_card_in_the_making_is_not_swept_by_a_run_that_ends(images, tmp_path, end_others, name):
    end_others(StoreLayout(tmp_path / name))
    build(images, tmp_path / name)
    require_finished(tmp_path / name)


@pytest.mark.parametrize("name", FORMATS)
def test_arrays_in_the_making_are_not_swept_by_a_run_that_ends(images, tmp_path, end_others, name):
    out = tmp_path / name
    layout = StoreLayout(out)
    build(images, out)
    record = layout.build.read_bytes()
    shorter = [path for path in layout.root.parent.rglob("*") if path.name in ("zarr.json", "x.h5")]
    held = {path: path.read_bytes() for path in shorter if path.is_file()}
    write_image(images / "zzz.png", 7)
    write_image(images / "zzzz.png", 8)
    build(images, out, extend=True)
    assert layout.build.read_bytes() != record
    # As an extension leaves it that was cut off behind its record.
    for path, content in held.items():
        path.write_bytes(content)
    layout.part(2).unlink()
    end_others(layout)
    build(images, out)
    require_finished(out)


@pytest.mark.parametrize("name", FORMATS)
def test_arrays_that_another_extends_meanwhile_are_not_cut(images, tmp_path, monkeypatch, name):
    out = tmp_path / name
    build(images, out)
    StoreLayout(out).part(1).unlink()
    look, read = planning.find_planned, planning._read_own

    def look_then_watch(*arguments):
        found = look(*arguments)
        monkeypatch.setattr(planning, "_read_own", read_then_be_extended)
        return found

    def read_then_be_extended(*arguments, **more):
        monkeypatch.undo()
        record = read(*arguments, **more)
        write_image(images / "zzz.png", 7)
        write_image(images / "zzzz.png", 8)
        build(images, out, extend=True)
        return record

    monkeypatch.setattr(planning, "find_planned", look_then_watch)
    build(images, out)
    require_finished(out)


def test_a_card_counts_what_another_run_has_made_anew(images, tmp_path, monkeypatch):
    out = tmp_path / "x.zarr"
    (images / "zz.png").write_bytes(b"no image")
    build(images, out)
    write_image(images / "zz.png", 7)
    StoreLayout(out).card.unlink()
    gather = gather_facts

    def gather_while_another_retries(*arguments):
        facts = gather(*arguments)
        monkeypatch.setattr(store_card, "gather_facts", gather)
        build(images, out, retry_failed=True)
        return facts

    monkeypatch.setattr(store_card, "gather_facts", gather_while_another_retries)
    build(images, out, retry_failed=True)
    require_finished(out)
    assert "| failed |" not in StoreLayout(out).card.read_text(encoding="utf-8")


def test_who_planned_a_store_that_another_replaced_makes_no_shard_of_it(
    images, tmp_path, monkeypatch
):
    out, wanted = tmp_path / "x.zarr", tmp_path / "wanted.zarr"
    build(images, wanted, seed=7)
    plan = planning._write_plan_once

    def plan_and_be_replaced(*arguments):
        planned = plan(*arguments)
        monkeypatch.setattr(planning, "_write_plan_once", plan)
        build(images, out, seed=7, overwrite=True)
        StoreLayout(out).part(1).unlink()
        return planned

    monkeypatch.setattr(planning, "_write_plan_once", plan_and_be_replaced)
    with pytest.raises(ConflictError, match="seed"):
        build(images, out)
    build(images, out, seed=7)
    assert_equal_stores(out, wanted)


def test_a_run_that_waits_long_says_so_and_goes_on(images, tmp_path, monkeypatch):
    out = tmp_path / "x.zarr"
    build(images, out, partition="0/2")
    layout = StoreLayout(out)
    layout.card.unlink()
    told = Told()
    with RunLock(layout.lock) as other:
        assert other.try_shard(DOCUMENTS)

        def release_once_told(_seconds: float) -> None:
            if told.messages:
                other.release_shard(DOCUMENTS)

        monkeypatch.setattr("dfsynth.jobs.store_documents.time.sleep", release_once_told)
        build(images, out, told)
    assert any("waiting for another process" in line for line in told.messages)
    require_finished(out)
