import errno
import os
import resource
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dfsynth.errors import DfsynthError, ErrorCode, ImageError
from dfsynth.source import Source, open_source

FAILURES = [
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.ESTALE,
    errno.EIO,
    errno.ENOTCONN,
    errno.EACCES,
    errno.ETIMEDOUT,
    errno.EHOSTDOWN,
    errno.EKEYEXPIRED,
    errno.ENODEV,
    errno.EAGAIN,
    errno.EREMOTEIO,
]


@pytest.fixture(params=["folder", "table", "tar", "zip"])
def place(request, tmp_path: Path) -> str:
    """What each kind of source with one image is opened by."""
    (tmp_path / "images").mkdir()
    image = tmp_path / "images" / "a.png"
    image.write_bytes(b"12345")
    (tmp_path / "images" / "t.csv").write_text("path\na.png\n")
    with tarfile.open(tmp_path / "t.tar", "w") as tar:
        tar.add(image, "a.png")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.write(image, "a.png")
    places = {"folder": "images", "table": "images/t.csv", "tar": "t.tar", "zip": "z.zip"}
    return str(tmp_path / places[request.param])


@pytest.fixture
def source(place: str) -> Source:
    return open_source(place, None)


@contextmanager
def no_free_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def failing(number: int) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise OSError(number, "as the system says it")

    return fail


def break_reading(monkeypatch: pytest.MonkeyPatch, source: Source, number: int) -> None:
    monkeypatch.setattr(os, "pread", failing(number))
    monkeypatch.setattr(zipfile.ZipFile, "open", failing(number))


def assert_run_ends(source: Source, item) -> None:
    with pytest.raises(DfsynthError) as caught:
        source.read(item, 10)
    assert not isinstance(caught.value, ImageError)
    assert "run the same command again" in str(caught.value)
    assert "as the system says it" not in str(caught.value)


def test_too_many_open_files_end_the_run_and_fail_no_image(place, source, items_of) -> None:
    (item,) = items_of(source.listing())
    again = open_source(place, None)
    with no_free_descriptors():
        with pytest.raises(DfsynthError) as caught:
            again.read(item, 10)
        assert not isinstance(caught.value, ImageError)
        assert "ulimit -n" in str(caught.value)
    assert again.read(item, 10) == b"12345"


@pytest.mark.parametrize("number", FAILURES)
def test_a_failure_of_the_machine_while_reading_ends_the_run(
    source, items_of, monkeypatch, number
) -> None:
    (item,) = items_of(source.listing())
    with monkeypatch.context() as broken:
        break_reading(broken, source, number)
        assert_run_ends(source, item)
    assert source.read(item, 10) == b"12345"


@pytest.mark.parametrize("number", FAILURES)
def test_a_failure_of_the_machine_while_opening_ends_the_run(
    source, items_of, monkeypatch, number
) -> None:
    (item,) = items_of(source.listing())
    with monkeypatch.context() as broken:
        broken.setattr(os, "open", failing(number))
        broken.setattr(zipfile.ZipFile, "open", failing(number))
        assert_run_ends(source, item)


def test_other_refusals_are_failures_of_the_file(source, items_of, monkeypatch) -> None:
    (item,) = items_of(source.listing())
    break_reading(monkeypatch, source, errno.EISDIR)
    with pytest.raises(ImageError) as caught:
        source.read(item, 10)
    assert caught.value.code is ErrorCode.UNREADABLE


def test_a_file_whose_mode_denies_it_is_a_failure_of_the_file(tmp_path, items_of, monkeypatch):
    """As its owner left it, and not as a network that lost its ticket."""
    (tmp_path / "a.png").write_bytes(b"12345")
    (tmp_path / "a.png").chmod(0)
    source = open_source(str(tmp_path), None)
    (item,) = items_of(source.listing())
    opened = os.open

    def as_anybody(path, *arguments, **more):
        if str(path).endswith("a.png"):
            raise PermissionError(errno.EACCES, "as the system says it", str(path))
        return opened(path, *arguments, **more)

    monkeypatch.setattr(os, "open", as_anybody)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(ImageError) as caught:
        source.read(item, 10)
    assert caught.value.code is ErrorCode.UNREADABLE
    (tmp_path / "a.png").chmod(0o644)
    with pytest.raises(DfsynthError, match="permission is denied") as ended:
        source.read(item, 10)
    assert not isinstance(ended.value, ImageError)


def test_a_plan_never_lacks_a_folder_for_want_of_descriptors(tmp_path, monkeypatch) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "a.png").write_bytes(b"1")
    (tmp_path / "below" / "b.png").write_bytes(b"1")
    scandir = os.scandir

    def starved(path):
        if Path(path).name == "below":
            raise OSError(errno.EMFILE, "as the system says it")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", starved)
    with pytest.raises(DfsynthError, match="ulimit -n"):
        open_source(str(tmp_path), None).listing()
