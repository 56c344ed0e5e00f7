"""Files that users name: whole or absent, whatever happens, and never in place of a device."""

import errno
import os
import signal
import socket
from pathlib import Path

import pytest

from dfsynth.errors import StoreError, UsageError
from dfsynth.files.output_file import require_output, writing_output

KILLED = """
import os, signal, sys
from pathlib import Path
from dfsynth.files.output_file import writing_output

with writing_output(Path(sys.argv[1]), "it") as stream:
    stream.write(b"half")
    stream.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(params=["nameless", "named"])
def file_system(request, monkeypatch) -> None:
    """One that knows files without a name, and one that does not."""
    if request.param == "named":
        opened = os.open

        def refuse(path, flags, *arguments, **options):
            if flags & os.O_TMPFILE == os.O_TMPFILE:
                raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
            return opened(path, flags, *arguments, **options)

        monkeypatch.setattr(os, "open", refuse)


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


@pytest.mark.usefixtures("file_system")
@pytest.mark.parametrize("before", [None, b"old"])
def test_the_file_is_there_whole_and_nothing_beside_it(tmp_path: Path, before) -> None:
    path = tmp_path / "kept.csv"
    if before is not None:
        path.write_bytes(before)
    with writing_output(path, "it") as stream:
        stream.write(b"new")
        assert (path.read_bytes() if path.exists() else None) == before
    assert path.read_bytes() == b"new"
    assert _names(tmp_path) == ["kept.csv"]


@pytest.mark.usefixtures("file_system")
@pytest.mark.parametrize("error", [RuntimeError("stop"), KeyboardInterrupt()])
def test_an_error_in_the_body_leaves_what_was_there(tmp_path: Path, error) -> None:
    path = tmp_path / "kept.csv"
    path.write_bytes(b"old")

    def stop_half_way() -> None:
        with writing_output(path, "it") as stream:
            stream.write(b"new")
            raise error

    with pytest.raises(type(error)):
        stop_half_way()
    assert path.read_bytes() == b"old"
    assert _names(tmp_path) == ["kept.csv"]


@pytest.mark.usefixtures("file_system")
def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    refused = pytest.raises(StoreError, match=r"cannot write it to .*No space left on device")
    with refused, writing_output(tmp_path / "kept.csv", "it") as stream:
        stream.write(b"new")
    assert _names(tmp_path) == []


def test_a_killed_process_leaves_nothing(tmp_path: Path, start_child) -> None:
    child = start_child(KILLED, tmp_path / "kept.csv")
    assert child.wait() == -signal.SIGKILL, child.stderr.read()
    assert _names(tmp_path) == []


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    other, link = tmp_path / "other", tmp_path / "link"
    other.write_bytes(b"other")
    link.symlink_to(other)
    with writing_output(link, "it") as stream:
        stream.write(b"new")
    assert other.read_bytes() == b"other"
    assert not link.is_symlink()
    assert link.read_bytes() == b"new"


@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "link to a device", "stream"])
def test_what_is_no_regular_file_is_refused_and_stays(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "special"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    elif kind == "device":
        path = Path("/dev/null")
    elif kind == "link to a device":
        path.symlink_to("/dev/null")
    else:
        descriptor = os.open(tmp_path / "redirected", os.O_CREAT | os.O_WRONLY)
        path.symlink_to(f"/proc/{os.getpid()}/fd/{descriptor}")
    before = os.lstat(path)
    with pytest.raises(UsageError, match="name a regular file"):
        require_output(path, "it")
    assert os.lstat(path) == before


def test_a_folder_and_a_name_in_no_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it is a folder"):
        require_output(tmp_path, "it")
    with pytest.raises(UsageError, match="does not exist"):
        require_output(tmp_path / "absent" / "kept.csv", "it")
