"""Stores in an object store: what a build leaves there, whatever ends it, and who may share it."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import object_builds
import pytest
import zarr
from object_builds import build_store
from object_server import KEY_ID, SECRET, Bucket, environment
from tar_files import tar_of
from torch.utils.data import DataLoader
from toy_generator import ToyMaker

import dfsynth
import dfsynth.store.remote as remote_store
from dfsynth.errors import ConflictError, DfsynthError, StoreError, UsageError
from dfsynth.files import objects
from dfsynth.files.object_path import to_any_path
from dfsynth.jobs.build_remote import build_anywhere
from dfsynth.jobs.info import describe_store
from dfsynth.jobs.verify import verify_store
from dfsynth.jobs.workers import driver
from dfsynth.options import BuildOptions, SimulateOptions
from dfsynth.progress import Silent
from dfsynth.store.opened import open_store

NIH = Path(__file__).parents[1] / "data" / "nih"
PROGRAM = Path(object_builds.__file__)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Three inputs, one of them unreadable: two shards."""
    folder = tmp_path / "images"
    folder.mkdir()
    for path in sorted(NIH.glob("*.png"))[:2]:
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "zz-broken.png").write_bytes(b"no image")
    return folder


@pytest.fixture
def local(images: Path, tmp_path: Path) -> Path:
    """The same store on a disk."""
    out = tmp_path / "local.zarr"
    build_store(images, str(out))
    return out


def require_equal(url: str, local: Path) -> None:
    """The same values and rows; nothing but what a store consists of."""
    ours, theirs = open_store(url), open_store(local)
    assert ours.manifest.drop(["seconds"]).equals(theirs.manifest.drop(["seconds"]))
    for name in theirs.maps:
        np.testing.assert_array_equal(
            np.asarray(ours.arrays[name]), np.asarray(theirs.arrays[name])
        )
    assert verify_store(url, False, Silent()).damage == ()


def test_a_store_in_an_object_store_has_a_report(
    bucket: Bucket, images: Path, tmp_path: Path
) -> None:
    url = f"{bucket.url}/a/x.zarr"
    build_store(images, url)
    before = bucket.contents()
    found = dfsynth.write_report(url, out=tmp_path / "report", source=str(images))
    assert (found.images, found.thumbnails) == (2, 2)
    assert (found.damage, found.remarks) == ((), ())
    html = found.page.read_text()
    assert "<h1>x.zarr</h1>" in html
    assert "<code>not_an_image</code>" in html
    bucket.remove("a/x.zarr/dark_field/c.0.0.0")
    (damage,) = dfsynth.write_report(url, out=tmp_path / "report").damage
    assert "shard 0" in damage
    assert str(Path(tempfile.gettempdir())) not in damage
    assert bucket.contents().keys() == before.keys() - {"a/x.zarr/dark_field/c.0.0.0"}


def require_card(content: dict[str, bytes], key: str, local: Path) -> None:
    """The same dataset card and Croissant file among the objects of a store."""
    for name in ("README.md", "croissant.json"):
        assert content[f"{key}/{name}"] == (local / name).read_bytes()


def test_a_store_in_an_object_store_equals_one_on_a_disk(
    bucket: Bucket, images: Path, local: Path
) -> None:
    url = f"{bucket.url}/a/x.zarr"

    report = build_store(images, url)

    assert (report.store, report.ok, report.failed, report.resumed) == (url, 2, 1, False)
    require_equal(url, local)
    here = {f"a/x.zarr/{p.relative_to(local).as_posix()}" for p in local.rglob("*") if p.is_file()}
    assert set(bucket.contents()) == here - {"a/x.zarr/run/lock"}
    require_card(bucket.contents(), "a/x.zarr", local)
    again = build_store(images, url)
    assert (again.ok, again.failed, again.resumed, again.shards_done) == (0, 0, True, 2)


def test_a_store_of_an_archive_in_the_object_store(
    bucket: Bucket, images: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "x.tar"
    archive.write_bytes(tar_of({path.name: path.read_bytes() for path in images.iterdir()}))
    bucket.put("x.tar", archive.read_bytes())
    out = [f"{bucket.url}/x.zarr", str(tmp_path / "x.zarr")]

    build_store(f"{bucket.url}/x.tar", out[0])
    build_store(archive, out[1])

    require_equal(out[0], Path(out[1]))
    # Gone on with from the plan: the same source, wherever it lies.
    assert build_store(archive, out[0]).resumed


def test_no_object_and_no_message_holds_a_secret(
    bucket: Bucket, images: Path, run_cli: Any
) -> None:
    url = f"{bucket.url}/x.zarr"
    build_store(images, url)

    said = [
        run_cli("info", url, "--verbose"),
        run_cli("info", "s3://no-bucket/x.zarr", "--verbose"),
    ]
    said.append(run_cli("info", f"s3://{KEY_ID}:{SECRET}@b/x.zarr", "--verbose"))

    assert [status for status, _, _ in said] == [0, 2, 2]
    everything = str(said).encode() + b"".join(bucket.contents().values())
    assert SECRET.encode() not in everything
    assert KEY_ID.encode() not in everything


def test_every_kill_before_a_change_leaves_what_the_next_run_completes(
    bucket: Bucket, server: str, images: Path, local: Path, start_child: Callable[..., Any]
) -> None:
    child = start_child(PROGRAM, images, bucket.url, "kill", **environment(server))

    # The last one has no change left to be killed before.
    *killed, last = child.stdout.read().split()
    assert (set(killed), last) == ({"-9"}, "0")
    # Of each of the two shards the array and the part, the plan twice, and the build record.
    assert len(killed) > 7
    for number in range(1, len(killed) + 2):
        url = f"{bucket.url}/{number}.zarr"
        report = build_store(images, url)
        assert report.shards_done == 2
        require_equal(url, local)
        content = bucket.contents(f"{number}.zarr/")
        require_card(content, f"{number}.zarr", local)
        assert {key.rpartition("/")[2] for key in content if "/run/" in key} >= {
            "build.json",
            "plan.pq",
        }


def test_two_processes_without_shares_make_one_store(
    bucket: Bucket, server: str, images: Path, local: Path, start_child: Callable[..., Any]
) -> None:
    url = f"{bucket.url}/x.zarr"

    child = start_child(PROGRAM, images, url, **environment(server))

    assert child.stdout.read().split() == ["0", "0"]
    require_equal(url, local)
    require_card(bucket.contents(), "x.zarr", local)


@pytest.mark.parametrize("step", ["publish_plan", "publish_shard", "create_object"])
def test_whoever_comes_second_at_any_step_goes_on(
    bucket: Bucket, images: Path, local: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    url = f"{bucket.url}/x.zarr"
    owner: Any = remote_store if step == "create_object" else remote_store.RemoteStore
    called = getattr(owner, step)
    others: list[Any] = []

    def call(*arguments: Any) -> Any:
        is_the_part = step != "create_object" or "manifest" in str(arguments[0])
        if is_the_part and not others:
            monkeypatch.setattr(owner, step, called)
            others.append(build_store(images, url))
        return called(*arguments)

    monkeypatch.setattr(owner, step, call)
    report = build_store(images, url)

    (other,) = others
    assert other.shards_done == report.shards_done == 2
    require_equal(url, local)
    require_card(bucket.contents(), "x.zarr", local)


def test_a_second_process_with_other_values_takes_the_shard_back(
    bucket: Bucket, images: Path, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{bucket.url}/x.zarr"
    monkeypatch.setattr(
        remote_store, "_checksums", lambda _: [("a", str(np.random.default_rng().random()))]
    )
    create: Callable[..., bool] = vars(remote_store)["create_object"]

    def late(path: Any, content: bytes) -> bool:
        if "manifest" in path.key:
            create(path, b"of another")
        return create(path, content)

    monkeypatch.setattr(remote_store, "create_object", late)
    with pytest.raises(StoreError, match="two processes at once, with other values"):
        build_store(images, url)
    monkeypatch.undo()


def test_the_workers_that_planning_asks_are_those_that_build(
    bucket: Bucket, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections: list[str | None] = []

    @contextmanager
    def connected(address: str | None) -> Iterator[None]:
        connections.append(address)
        yield None

    class Refusing:
        processes, names = 1, ("worker 0",)

        def __init__(self, *_: object) -> None:
            """Asks nothing of Ray."""

        def resolve_precision(self, _: str) -> str:
            return "fp32"

        def start(self, _: int) -> None:
            raise DfsynthError("no place")

        def close(self, **_: bool) -> None:
            """There is nothing to end."""

    monkeypatch.setattr(driver, "connected", connected)
    monkeypatch.setattr(driver, "resources_of", lambda _: None)
    monkeypatch.setattr(driver, "places_of", lambda *_: None)
    monkeypatch.setattr(driver, "RayWorkers", Refusing)
    options = BuildOptions.of(
        source=str(images), out=f"{bucket.url}/x.zarr", engine="ray", shard_size=2
    )

    with pytest.raises(DfsynthError, match="no place"):
        build_anywhere(options, ToyMaker(batch_size=1), Silent())

    assert connections == [None]
    assert "x.zarr/run/build.json" in bucket.contents()


def test_shares_of_two_processes_make_a_whole(bucket: Bucket, images: Path, local: Path) -> None:
    url = f"{bucket.url}/x.zarr"

    first = build_store(images, url, "0/2")
    assert b"card of an unfinished store" in bucket.contents()["x.zarr/README.md"]
    second = build_store(images, url, "1/2")

    assert (first.shards_done, second.shards_done) == (1, 2)
    require_equal(url, local)
    require_card(bucket.contents(), "x.zarr", local)


def test_damage_is_found_and_made_anew(bucket: Bucket, images: Path, local: Path) -> None:
    url = f"{bucket.url}/x.zarr"
    build_store(images, url)
    content = bytearray(bucket.contents()["x.zarr/dark_field/c.0.0.0"])
    content[10] ^= 1
    bucket.put("x.zarr/dark_field/c.0.0.0", bytes(content))
    bucket.remove("x.zarr/dark_field/c.1.0.0")

    found = verify_store(url, False, Silent())
    assert {damage.shard for damage in found.damage} == {0, 1}
    assert verify_store(url, True, Silent()).requeued == (0, 1)
    assert describe_store(url).shards_done == 0
    assert b"card of an unfinished store" in bucket.contents()["x.zarr/README.md"]

    build_store(images, url)
    require_equal(url, local)
    require_card(bucket.contents(), "x.zarr", local)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_a_data_loader_read_it(
    bucket: Bucket, images: Path, local: Path, method: str
) -> None:
    url = f"{bucket.url}/x.zarr"
    build_store(images, url)
    data, expected = (open_store(s).dataset(include_no_lung=True) for s in (url, local))
    assert len(data) == 2
    data[0]  # the library is at work in this process before it is forked

    loader = DataLoader(data, batch_size=None, num_workers=1, multiprocessing_context=method)

    found = [sample["maps"].numpy() for sample in loader]
    assert len(found) == 2
    for number, maps in enumerate(found):
        np.testing.assert_array_equal(maps, expected[number]["maps"].numpy())


def test_commands_that_read(bucket: Bucket, images: Path, run_cli: Any, tmp_path: Path) -> None:
    url = f"{bucket.url}/x.zarr"
    build_store(images, url)

    status, out, _ = run_cli("info", url)
    assert status == 0
    assert out.startswith(f"{url}: 2 of 2 shards done")
    assert run_cli("verify", url)[0] == 0
    assert run_cli("filter", url, "--include-no-lung", "--out", tmp_path / "kept.parquet")[0] == 0
    sheet = tmp_path / "sheet.png"
    status, out, _ = run_cli("show", url, "--source", images, "--out", sheet, "--json")
    assert (status, json.loads(out)["blank"]) == (0, 0)
    assert sheet.exists()


def test_a_copied_store_whose_plan_has_the_name_of_version_0_1(
    bucket: Bucket, images: Path, local: Path
) -> None:
    for path in filter(Path.is_file, local.rglob("*")):
        key = path.relative_to(local).as_posix().replace("plan.pq", "plan.parquet")
        bucket.put(f"x.zarr/{key}", path.read_bytes())
    before = bucket.contents()

    report = build_store(images, f"{bucket.url}/x.zarr")

    assert (report.ok, report.resumed, report.shards_done) == (0, True, 2)
    require_equal(f"{bucket.url}/x.zarr", local)
    assert bucket.contents() == before


def test_plain_zarr_reads_it(bucket: Bucket, images: Path) -> None:
    url = f"{bucket.url}/x.zarr"
    build_store(images, url)

    group = zarr.open_group(url, mode="r")

    assert np.isfinite(np.asarray(group["dark_field"])[:2]).all()


def test_a_store_that_ignores_conditional_puts_is_refused_before_anything_is_listed(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = objects.filesystem()

    def ignore(address: str, content: bytes, mode: str = "overwrite") -> None:
        real.pipe_file(address, content)

    client = SimpleNamespace(pipe_file=ignore, cat_file=real.cat_file, call_s3=real.call_s3)
    monkeypatch.setattr(objects, "filesystem", lambda: client)

    with pytest.raises(UsageError, match="ignores If-None-Match"):
        build_store(tmp_path / "no-such-source", f"{bucket.url}/x.zarr")

    assert bucket.contents() == {}


def test_what_is_no_store_is_left_alone(bucket: Bucket, images: Path) -> None:
    bucket.put("x.zarr/thesis.txt", b"years of work")

    with pytest.raises(ConflictError, match=r"no dfsynth store, the first of them thesis\.txt"):
        build_store(images, f"{bucket.url}/x.zarr")

    assert bucket.contents() == {"x.zarr/thesis.txt": b"years of work"}


def test_other_options_are_refused_by_the_name_of_the_store(bucket: Bucket, images: Path) -> None:
    url = f"{bucket.url}/x.zarr"
    build_store(images, url)
    (images / "new.png").write_bytes(b"")

    with pytest.raises(ConflictError) as caught:
        build_store(images.rename(images.with_name("others")), url)

    assert url in str(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"out": "s3://b/x.h5"}, "HDF5"),
        ({"overwrite": True}, "--overwrite: not for a store in an object store"),
        ({"extend": True}, "--extend: not for a store in an object store"),
        ({"retry_failed": True}, "--retry-failed: not for a store in an object store"),
    ],
)
def test_what_an_object_store_cannot_do_is_refused(options: dict[str, Any], said: str) -> None:
    import dfsynth

    with pytest.raises(UsageError, match=said):
        dfsynth.build(**{"source": "x", "out": "s3://b/x.zarr", **options})


def test_pairs_are_not_simulated_into_an_object_store() -> None:
    with pytest.raises(UsageError, match=r"--out s3://b/x\.zarr: this command writes to a disk"):
        SimulateOptions.of(out="s3://b/x.zarr", n=1)


def test_a_path_is_read_as_the_text_that_it_was_made_of() -> None:
    assert to_any_path(Path("s3://b/x/y.zarr")) == to_any_path("s3://b/x/y.zarr/")
    assert to_any_path("x.zarr") == Path("x.zarr")


def test_a_bucket_that_is_not_there(images: Path, bucket: Bucket) -> None:
    with pytest.raises(UsageError, match="there is no bucket 'no-such-bucket'"):
        build_store(images, "s3://no-such-bucket/x.zarr")
