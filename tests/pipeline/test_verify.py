"""verify names what is damaged, repair re-queues it, and the next build makes it whole."""

from pathlib import Path

import pytest
from radiograph_files import write_bad_files, write_folder
from store_content import assert_equal_stores
from toy_generator import ToyMaker

from dfsynth.config import BuildOptions
from dfsynth.errors import ConflictError
from dfsynth.pipeline import Silent, build
from dfsynth.pipeline.verify import verify_store
from dfsynth.store import RunLock, StoreLayout


@pytest.fixture
def pictures(tmp_path) -> Path:
    root = write_folder(tmp_path / "pictures", 7)
    write_bad_files(root)
    return root


def built(pictures: Path, out: Path) -> Path:
    build(BuildOptions(source=str(pictures), out=out, shard_size=4), ToyMaker(), Silent())
    return out


def flip_byte(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def test_an_intact_store_has_no_damage(pictures, tmp_path):
    found = verify_store(built(pictures, tmp_path / "x.zarr"), False, Silent())
    assert (found.shards, found.images, found.damage) == (3, 11, ())


@pytest.mark.parametrize("name", ["dark_field", "aleatoric", "epistemic"])
def test_a_flipped_byte_names_the_image_and_repair_makes_it_whole(pictures, tmp_path, name):
    whole, store = built(pictures, tmp_path / "a.zarr"), built(pictures, tmp_path / "b.zarr")
    flip_byte(StoreLayout(store).shard_object(name, 1), 100)
    found = verify_store(store, False, Silent())
    assert [(d.shard, d.image_id) for d in found.damage] == [(1, "part0/image0004.png")]
    assert found.requeued == ()
    assert verify_store(store, True, Silent()).requeued == (1,)
    built(pictures, store)
    assert verify_store(store, False, Silent()).damage == ()
    assert_equal_stores(store, whole)


def test_a_missing_object_and_a_truncated_part_are_found(pictures, tmp_path):
    whole, store = built(pictures, tmp_path / "a.zarr"), built(pictures, tmp_path / "b.zarr")
    layout = StoreLayout(store)
    layout.shard_object("aleatoric", 0).unlink()
    part = layout.part(2)
    part.write_bytes(part.read_bytes()[:-20])
    found = verify_store(store, True, Silent())
    assert found.requeued == (0, 2)
    assert {d.shard for d in found.damage if d.image_id is None} == {2}
    built(pictures, store)
    assert_equal_stores(store, whole)


def test_damaged_metadata_is_found_and_written_anew(pictures, tmp_path):
    whole, store = built(pictures, tmp_path / "a.zarr"), built(pictures, tmp_path / "b.zarr")
    metadata = store / "zarr.json"
    metadata.write_text(metadata.read_text().replace("not for diagnosis", "fine for diagnosis"))
    assert [d.shard for d in verify_store(store, True, Silent()).damage] == [None]
    assert metadata.read_bytes() == (whole / "zarr.json").read_bytes()


def test_values_swapped_between_images_do_not_pass(pictures, tmp_path):
    """Each object is intact; only the manifest's sums can tell."""
    store = built(pictures, tmp_path / "x.zarr")
    layout = StoreLayout(store)
    one, other = layout.shard_object("aleatoric", 1), layout.shard_object("dark_field", 1)
    swapped = one.read_bytes(), other.read_bytes()
    other.write_bytes(swapped[0])
    one.write_bytes(swapped[1])
    found = verify_store(store, False, Silent())
    assert len(found.damage) == 4
    assert all(d.shard == 1 and d.image_id for d in found.damage)


def test_repair_is_refused_while_another_process_works(pictures, tmp_path):
    store = built(pictures, tmp_path / "x.zarr")
    layout = StoreLayout(store)
    layout.shard_object("aleatoric", 0).unlink()
    import subprocess
    import sys

    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from dfsynth.store import RunLock\n"
            "lock = RunLock(Path(sys.argv[1])); print(lock.try_shard(2), flush=True)\n"
            "sys.stdin.read()",
            str(layout.lock),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with pytest.raises(ConflictError, match="another process"):
            verify_store(store, True, Silent())
    finally:
        holder.communicate("")
    assert verify_store(store, True, Silent()).requeued == (0,)
    with RunLock(layout.lock) as lock:
        assert lock.try_whole()
