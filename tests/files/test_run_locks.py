"""Locks exclude other processes, shard by shard, and a dead process holds none."""

import errno
import fcntl
import os
import subprocess
from dataclasses import dataclass

import pytest

from dfsynth.errors import StoreError
from dfsynth.files.locks import RunLock

HOLD = """
import sys
from pathlib import Path
from dfsynth.files.locks import RunLock
lock = RunLock(Path(sys.argv[1]))
for line in sys.stdin:
    command, *shards = line.split()
    print(getattr(lock, command)(*map(int, shards)), flush=True)
"""

FORK = """
import os, sys
from pathlib import Path
from dfsynth.files.locks import RunLock
lock = RunLock(Path(sys.argv[1]))
assert lock.try_shard(1)
child = os.fork()
if child == 0:
    print("child sees", not lock.try_whole(), flush=True)
    lock.close()
    os._exit(0)
os.waitpid(child, 0)
print("forked", flush=True)
sys.stdin.read()
"""


@dataclass
class Other:
    """Asks another process, a call of its lock a line."""

    child: "subprocess.Popen[str]"

    def __call__(self, command: str) -> str:
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.write(command + "\n")
        self.child.stdin.flush()
        return self.child.stdout.readline().strip()


@pytest.fixture
def other(start_child, tmp_path):
    """Starts another process that has the same lock file open."""
    return lambda: Other(start_child(HOLD, tmp_path / "lock"))


@pytest.fixture
def lock(tmp_path):
    with RunLock(tmp_path / "lock") as held:
        yield held


def test_shard_is_one_processes_at_a_time(lock, other):
    ask = other()
    assert lock.try_shard(3)
    assert ask("try_shard 3") == "False"
    assert ask("try_shard 2") == "True"
    assert ask("try_shard 4") == "True"
    assert not lock.try_shard(4)
    lock.release_shard(3)
    assert ask("try_shard 3") == "True"
    assert not lock.try_shard(3)


def test_shard_is_taken_once_by_one_object(lock):
    assert lock.try_shard(0)
    assert not lock.try_shard(0)
    lock.release_shard(0)
    assert lock.try_shard(0)
    with pytest.raises(StoreError, match="does not hold"):
        lock.release_shard(1)


def test_killed_process_holds_nothing(lock, other):
    ask = other()
    assert ask("try_shard 0") == "True"
    assert ask("try_shard 1") == "True"
    assert not lock.try_whole()
    ask.child.kill()
    ask.child.wait()
    assert lock.try_shard(0)
    assert lock.try_whole()


def test_whole_excludes_every_shard_and_the_other_way_round(lock, other):
    ask = other()
    assert lock.try_whole()
    assert ask("try_shard 0") == "False"
    assert ask("try_shard 10000000") == "False"
    assert ask("try_whole") == "False"
    lock.release_whole()
    assert ask("try_shard 10000000") == "True"
    assert not lock.try_whole()
    assert ask("release_shard 10000000") == "None"
    assert lock.try_whole()


def test_closing_gives_everything_back(tmp_path, other):
    ask = other()
    lock = RunLock(tmp_path / "lock")
    assert lock.try_shard(7)
    lock.close()
    lock.close()
    assert ask("try_shard 7") == "True"


def test_forked_child_neither_holds_nor_drops_the_locks(lock, start_child, tmp_path):
    forker = start_child(FORK, tmp_path / "lock")
    assert forker.stdout.readline() == "child sees True\n"
    assert forker.stdout.readline() == "forked\n"
    assert not lock.try_shard(1)
    assert lock.try_shard(2)


def test_locks_are_known_to_work_here(lock, other):
    assert lock.supported()
    assert other()("try_whole") == "True"
    assert lock.supported()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_file_system_without_locks_is_named(lock, monkeypatch, number):
    def refuse(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "lockf", refuse)
    assert not lock.supported()
    for attempt in (lambda: lock.try_shard(0), lock.try_whole):
        with pytest.raises(StoreError, match=r"no file locks .* single process .* --partition I/N"):
            attempt()


def test_other_refusals_are_errors_too(lock, monkeypatch):
    def refuse(*arguments: object) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(fcntl, "lockf", refuse)
    for attempt in (lock.supported, lambda: lock.try_shard(0)):
        with pytest.raises(StoreError, match="input/output error"):
            attempt()


def test_lock_file_is_no_link(tmp_path):
    (tmp_path / "elsewhere").touch()
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="open the lock file"):
        RunLock(tmp_path / "lock")


def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(StoreError, match="not there"):
        RunLock(tmp_path / "run" / "lock")


def test_two_objects_of_one_process_exclude_each_other(lock, other, tmp_path):
    """To the kernel both are one process, and closing one would drop the locks of the other."""
    ask = other()
    second = RunLock(tmp_path / "lock")
    assert lock.try_shard(0)
    assert not second.try_shard(0)
    assert not second.try_whole()
    assert second.try_shard(1)
    assert not lock.try_whole()
    with pytest.raises(StoreError, match="does not hold"):
        second.release_shard(0)
    second.close()
    assert ask("try_shard 0") == "False"
    assert ask("try_shard 1") == "True"
    assert ask("release_shard 1") == "None"
    assert lock.try_whole()
    third = RunLock(tmp_path / "lock")
    assert third.supported()
    assert not third.try_shard(5)
    third.close()
    lock.release_whole()
    assert ask("try_shard 5") == "True"
