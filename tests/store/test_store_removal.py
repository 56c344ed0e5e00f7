"""A shard is taken back part first; overwriting clears our stores and nothing else."""

import json
from pathlib import Path

import pytest

from dfsynth.errors import ConflictError
from dfsynth.files.durable import remove_durably
from dfsynth.files.locks import RunLock
from dfsynth.store import RootState, StoreLayout, clear_store, examine_root, removal, remove_shard
from dfsynth.store.zarr.paths import group_path, shard_path

RECORD = json.dumps({"schema_version": 1, "fingerprint": {"seed": 0}})


@pytest.fixture
def built(small_store: StoreLayout) -> StoreLayout:
    small_store.build.write_text(RECORD)
    small_store.plan.write_bytes(b"plan")
    small_store.lock.touch()
    return small_store


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir())


def test_remove_shard_takes_part_and_objects_of_that_shard(built):
    remove_shard(built, ["dark_field", "aleatoric"], 1)
    assert built.committed_shards() == {0, 2}
    for name in ("dark_field", "aleatoric"):
        assert not shard_path(built, name, 1).exists()
        assert shard_path(built, name, 0).exists()
    remove_shard(built, ["dark_field", "aleatoric"], 1)


def test_remove_shard_takes_the_part_first(built, monkeypatch):
    calls: list[list[Path]] = []

    def watched(paths) -> None:
        calls.append(list(paths))
        remove_durably(calls[-1])

    monkeypatch.setattr("dfsynth.store.removal.remove_durably", watched)
    remove_shard(built, ["dark_field"], 2)
    kept = [built.partial(2), built.replacing(2)]
    assert calls == [[built.part(2)], kept, [shard_path(built, "dark_field", 2)]]


def test_clear_store_empties_ours_down_to_the_lock(built):
    (built.root / "notes.txt").write_text("inside our store")
    with RunLock(built.lock) as lock:
        assert lock.try_whole()
        clear_store(built)
    assert files(built.root) == ["run/lock"]
    assert examine_root(built) is RootState.UNFINISHED
    clear_store(built)


@pytest.mark.parametrize("make", [lambda _: None, lambda root: root.mkdir()])
def test_nothing_or_an_empty_folder_is_free(layout, make):
    make(layout.root)
    assert examine_root(layout) is RootState.FREE
    clear_store(layout)


def own_build(root: Path, text: str) -> None:
    (root / "run").mkdir(parents=True)
    (root / "run" / "build.json").write_text(text)


def linked_build(root: Path) -> None:
    own_build(root.parent / "other", RECORD)
    (root / "run").mkdir(parents=True)
    (root / "run" / "build.json").symlink_to(root.parent / "other" / "run" / "build.json")


def linked_run(root: Path) -> None:
    own_build(root.parent / "other", RECORD)
    root.mkdir()
    (root / "run").symlink_to(root.parent / "other" / "run")


def lock_beside_others(root: Path) -> None:
    (root / "run").mkdir(parents=True)
    (root / "run" / "lock").touch()
    (root / "thesis.tex").write_text("precious")


def lock_among_others(root: Path) -> None:
    (root / "run").mkdir(parents=True)
    (root / "run" / "lock").touch()
    (root / "run" / "results.csv").write_text("precious")


def array_with_chunks(root: Path) -> None:
    (root / "run").mkdir(parents=True)
    (root / "run" / "lock").touch()
    (root / "scan").mkdir()
    (root / "scan" / "zarr.json").write_text("{}")
    (root / "scan" / "c.0.0.0").write_text("precious")


def foreign_scratch(root: Path) -> None:
    """Half like a store, and a file of somebody in it."""
    (root / "run" / "tmp").mkdir(parents=True)
    (root / "run" / "tmp" / "notes.txt").write_text("precious")


def foreign_group(root: Path) -> None:
    """Zarr of another program beside a folder that is called as one of ours."""
    (root / "run" / "tmp").mkdir(parents=True)
    (root / "run" / "lock").touch()
    (root / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}')


def foreign_lock(root: Path) -> None:
    (root / "run").mkdir(parents=True)
    (root / "run" / "lock").write_text("precious")


@pytest.mark.parametrize(
    "make",
    [
        foreign_scratch,
        foreign_group,
        foreign_lock,
        lambda root: root.write_text("a file"),
        lambda root: (root.mkdir(), (root / "thesis.tex").write_text("precious")),
        lambda root: (root / "run" / "other").mkdir(parents=True),
        lambda root: [(root / name / "x").mkdir(parents=True) for name in ("run", "other")],
        lambda root: own_build(root, "{}"),
        lambda root: own_build(root, "[]"),
        lambda root: own_build(root, '{"schema_version": 1'),
        lambda root: own_build(root, '{"name": "web", "scripts": {}}'),
        lambda root: root.symlink_to(root.parent / "nowhere"),
        linked_build,
        linked_run,
        lock_beside_others,
        lock_among_others,
        array_with_chunks,
    ],
)
def test_what_is_not_ours_is_refused_and_kept(layout, tmp_path, make):
    make(layout.root)
    before = files(tmp_path)
    assert examine_root(layout) is RootState.NOT_A_STORE
    with pytest.raises(ConflictError, match="choose another --out"):
        clear_store(layout)
    assert files(tmp_path) == before


def test_links_inside_are_removed_and_never_followed(built, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("kept")
    (built.root / "link").symlink_to(outside)
    (built.root / "dark_field" / "link").symlink_to(outside)
    (built.scratch / "link").symlink_to(outside / "precious")
    clear_store(built)
    assert files(built.root) == ["run/lock"]
    assert (outside / "precious").read_text() == "kept"


def test_array_folder_moved_elsewhere_by_a_link_is_kept_there(built, tmp_path):
    array = built.root / "aleatoric"
    array.rename(tmp_path / "elsewhere")
    array.symlink_to(tmp_path / "elsewhere")
    clear_store(built)
    assert not array.is_symlink()
    assert files(tmp_path / "elsewhere") == ["c.0.0.0", "c.1.0.0", "c.2.0.0", "zarr.json"]


def test_store_reached_through_a_link_is_cleared_and_the_link_kept(built, tmp_path):
    link = tmp_path / "link.zarr"
    link.symlink_to(built.root)
    clear_store(StoreLayout(link))
    assert link.is_symlink()
    assert files(built.root) == ["run/lock"]


def after_first_look_at(monkeypatch, function: str, happen) -> None:
    """Lets another process act between the first answer of a look and all that follows."""
    look = getattr(removal, function)
    done: list[bool] = []

    def watched(path):
        found = look(path)
        if not done:
            done.append(True)
            happen()
        return found

    monkeypatch.setattr(removal, function, watched)


def test_store_whose_planning_ends_between_the_looks_is_a_store(built, monkeypatch):
    built.build.unlink()
    after_first_look_at(monkeypatch, "_is_build_record", lambda: built.build.write_text(RECORD))
    assert examine_root(built) is RootState.STORE


def test_plan_that_becomes_a_store_between_the_looks_is_a_store(layout, monkeypatch):
    layout.make_folders()
    layout.lock.touch()
    assert examine_root(layout) is RootState.UNFINISHED
    after_first_look_at(monkeypatch, "_is_bare_plan", lambda: layout.build.write_text(RECORD))
    assert examine_root(layout) is RootState.STORE


def test_lock_that_another_takes_between_the_looks_is_no_file_of_others(layout, monkeypatch):
    layout.make_folders()

    def plan_begins():
        layout.lock.touch()
        layout.planning.touch()
        group_path(layout).write_text("{}")

    look = removal._is_file

    def watched(path):
        found = look(path)
        if path == layout.lock and not found:
            plan_begins()
        return found

    monkeypatch.setattr(removal, "_is_file", watched)
    assert examine_root(layout) is RootState.UNFINISHED


def test_build_record_renamed_while_it_is_read_is_unfinished(built, monkeypatch):
    """Another process begins to overwrite the store."""
    look = removal._is_file

    def watched(path):
        found = look(path)
        if path == built.build and found:
            built.build.replace(built.removing)
        return found

    monkeypatch.setattr(removal, "_is_file", watched)
    assert examine_root(built) is RootState.UNFINISHED
