"""verify names what is damaged, repair re-queues it, and the next build makes it whole."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from radiograph_files import write_bad_files, write_folder
from store_content import assert_equal_stores
from toy_generator import ToyMaker

from dfsynth.errors import ConflictError, UsageError
from dfsynth.files.locks import RunLock
from dfsynth.jobs.build import run_build
from dfsynth.jobs.verify import verify_store
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.store import StoreLayout
from dfsynth.store.zarr.paths import shard_path


@pytest.fixture
def radiographs(tmp_path) -> Path:
    root = write_folder(tmp_path / "radiographs", 7)
    write_bad_files(root)
    return root


def built(radiographs: Path, out: Path) -> Path:
    run_build(BuildOptions(source=str(radiographs), out=out, shard_size=4), ToyMaker(), Silent())
    return out


def flip_byte(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def test_an_intact_store_has_no_damage(radiographs, tmp_path):
    found = verify_store(built(radiographs, tmp_path / "x.zarr"), False, Silent())
    assert (found.shards, found.images, found.damage) == (3, 11, ())


@pytest.mark.parametrize("name", ["dark_field", "aleatoric", "epistemic"])
def test_a_flipped_byte_names_the_image_and_repair_makes_it_whole(radiographs, tmp_path, name):
    whole, store = built(radiographs, tmp_path / "a.zarr"), built(radiographs, tmp_path / "b.zarr")
    flip_byte(shard_path(StoreLayout(store), name, 1), 100)
    found = verify_store(store, False, Silent())
    assert [(d.shard, d.image_id) for d in found.damage] == [(1, "part0/image0004.png")]
    assert found.requeued == ()
    assert verify_store(store, True, Silent()).requeued == (1,)
    built(radiographs, store)
    assert verify_store(store, False, Silent()).damage == ()
    assert_equal_stores(store, whole)


def test_a_missing_object_and_a_truncated_part_are_found(radiographs, tmp_path):
    whole, store = built(radiographs, tmp_path / "a.zarr"), built(radiographs, tmp_path / "b.zarr")
    layout = StoreLayout(store)
    shard_path(layout, "aleatoric", 0).unlink()
    part = layout.part(2)
    part.write_bytes(part.read_bytes()[:-20])
    found = verify_store(store, True, Silent())
    assert found.requeued == (0, 2)
    assert {d.shard for d in found.damage if d.image_id is None} == {2}
    built(radiographs, store)
    assert_equal_stores(store, whole)


def test_a_shard_whose_images_all_failed_is_read_as_well(tmp_path):
    source = tmp_path / "empty"
    source.mkdir()
    for number in range(3):
        (source / f"{number}.png").touch()
    whole, store = built(source, tmp_path / "a.zarr"), built(source, tmp_path / "b.zarr")
    assert verify_store(store, False, Silent()).damage == ()
    shard_path(StoreLayout(store), "aleatoric", 0).unlink()
    found = verify_store(store, True, Silent())
    assert {d.image_id for d in found.damage} == {"0.png", "1.png", "2.png"}
    assert found.requeued == (0,)
    built(source, store)
    assert_equal_stores(store, whole)


def test_damaged_metadata_is_found_and_written_anew(radiographs, tmp_path):
    whole, store = built(radiographs, tmp_path / "a.zarr"), built(radiographs, tmp_path / "b.zarr")
    metadata = store / "zarr.json"
    metadata.write_text(metadata.read_text().replace("not for diagnosis", "fine for diagnosis"))
    assert [d.shard for d in verify_store(store, True, Silent()).damage] == [None]
    assert metadata.read_bytes() == (whole / "zarr.json").read_bytes()


def test_values_swapped_between_images_do_not_pass(radiographs, tmp_path):
    """Each object is intact; only the manifest's checksums show it."""
    store = built(radiographs, tmp_path / "x.zarr")
    layout = StoreLayout(store)
    one, other = shard_path(layout, "aleatoric", 1), shard_path(layout, "dark_field", 1)
    swapped = one.read_bytes(), other.read_bytes()
    other.write_bytes(swapped[0])
    one.write_bytes(swapped[1])
    found = verify_store(store, False, Silent())
    assert len(found.damage) == 4
    assert all(d.shard == 1 and d.image_id for d in found.damage)


@contextmanager
def asking(lock: Path, command: str) -> Iterator[str]:
    """What another process gets that calls the lock; it keeps what it got to the end."""
    program = (
        "import sys; from pathlib import Path; from dfsynth.files.locks import RunLock\n"
        f"lock = RunLock(Path(sys.argv[1])); print(lock.{command}, flush=True)\n"
        "sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.communicate("")


def test_repair_is_refused_while_another_process_works(radiographs, tmp_path):
    store = built(radiographs, tmp_path / "x.zarr")
    layout = StoreLayout(store)
    shard_path(layout, "aleatoric", 0).unlink()
    with asking(layout.lock, "try_shard(2)") as answer:
        assert answer == "True"
        with pytest.raises(ConflictError, match="another process"):
            verify_store(store, True, Silent())
    assert verify_store(store, True, Silent()).requeued == (0,)
    with RunLock(layout.lock) as lock:
        assert lock.try_whole()


def test_refused_repair_writes_nothing_not_even_metadata(radiographs, tmp_path):
    store = built(radiographs, tmp_path / "x.zarr")
    metadata = store / "zarr.json"
    metadata.write_text("{}")
    with asking(StoreLayout(store).lock, "try_shard(2)") as answer:
        assert answer == "True"
        with pytest.raises(ConflictError, match="another process"):
            verify_store(store, True, Silent())
        assert metadata.read_text() == "{}"
        assert [d.shard for d in verify_store(store, False, Silent()).damage] == [None]


@pytest.mark.parametrize(("repair", "answer"), [(True, "False"), (False, "True")])
def test_the_store_is_locked_from_the_first_image_on_where_it_is_repaired(
    radiographs, tmp_path, repair, answer
):
    store = built(radiographs, tmp_path / "x.zarr")
    answers = []

    class Asking(Silent):
        def start(self, images: int) -> None:  # noqa: ARG002
            with asking(StoreLayout(store).lock, "try_shard(0)") as found:
                answers.append(found)

    verify_store(store, repair, Asking())
    assert answers == [answer]


def test_without_locks_only_leftovers_of_requeued_shards_are_swept(
    radiographs, tmp_path, monkeypatch
):
    store = built(radiographs, tmp_path / "x.zarr")
    layout = StoreLayout(store)
    shard_path(layout, "aleatoric", 0).unlink()
    own = layout.scratch / f"{layout.owner(0)}.c.0.0.0.0123456789ab.tmp"
    others = layout.scratch / f"{layout.owner(2)}.c.2.0.0.0123456789ab.tmp"
    own.touch()
    others.touch()
    monkeypatch.setattr(RunLock, "supported", lambda _: False)
    assert verify_store(store, True, Silent()).requeued == (0,)
    assert list(layout.scratch.iterdir()) == [others]


def test_repair_makes_no_lock_file_where_there_is_no_store(tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(UsageError, match="no dfsynth store"):
        verify_store(tmp_path, True, Silent())
    assert list((tmp_path / "run").iterdir()) == []
