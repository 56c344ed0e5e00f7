"""The card of a store is true at any moment, or absent."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kill_switch import is_killed
from odd_corpus import build_corpus, write_corpus
from radiograph_files import write_folder, write_image
from toy_generator import ToyMaker

import dfsynth
from dfsynth.description import CardState, card_state, gather_facts, write_card, write_croissant
from dfsynth.errors import StoreError
from dfsynth.jobs import store_card
from dfsynth.jobs.build import run_build
from dfsynth.jobs.verify import verify_store
from dfsynth.manifest import read_manifest
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent, Told
from dfsynth.store import StoreLayout, format_of
from dfsynth.store.record import read_record

FORMATS = ["x.zarr", "x.h5"]


def build(images: Path, out: Path, told: Told | None = None, **more):
    options = BuildOptions.of(source=images, out=out, shard_size=2, workers=1, **more)
    return run_build(options, ToyMaker(batch_size=1), told or Silent())


def state_of(out: Path) -> CardState | None:
    card = StoreLayout(out).card
    return card_state(card.read_bytes()) if card.exists() else None


def require_true(out: Path) -> None:
    """What is there follows from the store as it is now, and counts only what is finished."""
    layout = StoreLayout(out)
    if not layout.build.exists():
        assert not layout.card.exists()
        return
    record = read_record(layout.build)
    if state_of(out) is CardState.FINISHED:
        assert layout.committed_shards() == set(range(record.shards))
        manifest = read_manifest(layout.manifest, record.manifest_schema)
        facts = gather_facts(layout, record, manifest)
        assert layout.card.read_bytes() == write_card(facts)
        assert layout.croissant.read_bytes() == write_croissant(facts)
    elif layout.card.exists():
        facts = gather_facts(layout, record, None)
        assert layout.card.read_bytes() == write_card(facts)


def require_finished(out: Path) -> None:
    assert state_of(out) is CardState.FINISHED
    require_true(out)


@pytest.fixture
def images(tmp_path) -> Path:
    """Two good files and one that is none, which a later test mends."""
    root = write_folder(tmp_path / "images", 2)
    (root / "zz.png").write_bytes(b"no image")
    return root


@pytest.mark.parametrize("name", FORMATS)
def test_a_share_says_that_the_store_is_not_finished(images, tmp_path, name):
    out = tmp_path / name
    build(images, out, partition="0/2")
    card = StoreLayout(out).card.read_text(encoding="utf-8")
    assert state_of(out) is CardState.UNFINISHED
    assert "3 images are planned in 2 shards" in card
    assert "## Counts" not in card
    assert b'"isLiveDataset": true' in StoreLayout(out).croissant.read_bytes()
    build(images, out, partition="1/2")
    require_finished(out)


@pytest.mark.parametrize("name", FORMATS)
def test_every_change_of_a_store_reaches_its_card(images, tmp_path, name):
    out = tmp_path / name
    layout = StoreLayout(out)
    build(images, out)
    assert "| failed | 1 |" in layout.card.read_text(encoding="utf-8")
    write_image(images / "zz.png", 7)
    build(images, out, retry_failed=True)
    assert "| failed |" not in layout.card.read_text(encoding="utf-8")
    write_image(images / "zzz.png", 8)
    build(images, out, extend=True)
    require_finished(out)
    assert "4 images in 3 shards" in layout.card.read_text(encoding="utf-8")
    assert b'"version": "1.1.0"' in layout.croissant.read_bytes()
    format_of(layout).shard_files(layout, ["dark_field"], 1)[0].write_bytes(b"damaged")
    verify_store(out, True, Silent())
    assert state_of(out) is CardState.UNFINISHED
    require_true(out)
    build(images, out)
    require_finished(out)


def test_a_store_of_another_format_has_a_card_of_its_own(images, tmp_path):
    build(images, tmp_path / "x.zarr")
    dfsynth.export(tmp_path / "x.zarr", tmp_path / "x.h5", to="hdf5")
    require_finished(tmp_path / "x.h5")
    assert "h5py" in StoreLayout(tmp_path / "x.h5").card.read_text(encoding="utf-8")
    write_image(images / "zz.png", 7)
    build(images, tmp_path / "x.zarr", retry_failed=True)
    dfsynth.export(tmp_path / "x.zarr", tmp_path / "x.h5", to="hdf5")
    require_finished(tmp_path / "x.h5")


@pytest.mark.slow
@pytest.mark.parametrize("again", ["retry_failed", "extend", None])
def test_killed_at_any_change_of_the_disk_the_card_is_true(images, tmp_path, monkeypatch, again):
    # Only a power cut would show what was flushed.
    monkeypatch.setattr("os.fsync", lambda _: None)
    killed, number = True, 0
    while killed:
        number += 10
        out, source = tmp_path / f"{number}.zarr", write_folder(tmp_path / f"{number}", 2)
        (source / "zz.png").write_bytes(b"no image")
        if again is not None:
            build(source, out)
            write_image(source / ("zz.png" if again == "retry_failed" else "zzz.png"), 7)
        more: dict[str, Any] = {} if again is None else {again: True}
        run = partial(build, source, out, **more)
        killed = is_killed(run, number)
        require_true(out)
        run()
        require_finished(out)
        assert not list(StoreLayout(out).scratch.glob("card.*"))
    assert number > 10


def test_a_card_of_ones_own_is_left_alone(images, tmp_path):
    out = tmp_path / "x.zarr"
    build(images, out)
    layout = StoreLayout(out)
    layout.card.write_text("# Mine\n", encoding="utf-8")
    write_image(images / "zz.png", 7)
    build(images, out, retry_failed=True)
    assert layout.card.read_text(encoding="utf-8") == "# Mine\n"
    record = read_record(layout.build)
    facts = gather_facts(layout, record, read_manifest(layout.manifest, record.manifest_schema))
    assert layout.croissant.read_bytes() == write_croissant(facts)


@pytest.mark.parametrize("lost", ["README.md", "croissant.json"])
def test_a_store_without_one_gets_it_by_the_same_command(images, tmp_path, lost):
    out = tmp_path / "x.zarr"
    build(images, out)
    (out / lost).unlink()
    build(images, out)
    require_finished(out)


def test_a_copy_without_empty_folders_gets_it_too(images, tmp_path):
    out = tmp_path / "x.zarr"
    build(images, out)
    StoreLayout(out).card.unlink()
    StoreLayout(out).scratch.rmdir()
    build(images, out)
    require_finished(out)


def test_a_finished_store_that_cannot_be_written_is_no_error(images, tmp_path, monkeypatch):
    out = tmp_path / "x.zarr"
    build(images, out)
    StoreLayout(out).card.unlink()

    def refuse(*_: object) -> None:
        raise StoreError("cannot write README.md: the file system is read-only")

    monkeypatch.setattr(store_card, "write_durably", refuse)
    told = Told()
    assert build(images, out, told).shards_done == 2
    assert any("no dataset card is written: cannot write" in line for line in told.messages)


def test_a_damaged_part_is_named_and_no_card_made_of_the_rest(images, tmp_path):
    out = tmp_path / "x.zarr"
    build(images, out)
    layout = StoreLayout(out)
    layout.card.unlink()
    layout.part(0).write_bytes(layout.part(0).read_bytes()[:-20])
    with pytest.raises(StoreError, match="part-0000000"):
        store_card.update_card(layout)
    assert state_of(out) is None


def test_nothing_of_a_store_that_is_gone_is_left(images, tmp_path):
    out = tmp_path / "x.h5"
    build(images, out)
    corpus = write_corpus(tmp_path / "nih")
    with pytest.raises(dfsynth.errors.ConflictError):
        build_corpus(corpus, out)
    require_finished(out)
    build(images, out, overwrite=True)
    require_finished(out)
