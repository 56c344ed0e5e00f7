"""Builds of one small store of three shards, whose disk fails, and what must be true afterwards."""

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from small_runs import run
from store_content import assert_equal_stores

import dfsynth.jobs.claims
from dfsynth.errors import DfsynthError
from dfsynth.jobs.verify import verify_store
from dfsynth.progress import Silent
from dfsynth.store import RootState, StoreLayout, examine_root
from dfsynth.store.opened import open_store

ENDED_WITH_A_LINE = 3
"""The status of a process whose build ended with an error that its message explains."""


def in_child(act: Callable[[], object]) -> int:
    """Does something in a forked process; gives its status as `os.waitpid` does."""
    process = os.fork()
    if process == 0:
        status = 1
        try:
            act()
            status = 0
        except DfsynthError as error:
            status = ENDED_WITH_A_LINE if "\n" not in str(error) else 1
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            sys.stderr.flush()
            os._exit(status)
    return os.waitpid(process, 0)[1]


def build_and_note(pictures: str, out: Path, notes: Path) -> None:
    """Builds, and notes each shard once its commit has returned: it must never be lost."""
    descriptor = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    released = dfsynth.jobs.claims.Claims.release

    def note(claims: dfsynth.jobs.claims.Claims, shard: int) -> None:
        os.write(descriptor, f"{shard}\n".encode())
        released(claims, shard)

    dfsynth.jobs.claims.Claims.release = note  # type: ignore[method-assign, assignment]
    run(pictures, out)


def noted(notes: Path) -> frozenset[int]:
    """The shards of which a process knows that they are committed."""
    return frozenset(map(int, notes.read_text().split())) if notes.exists() else frozenset()


def check_soundness(out: Path, parts: Path) -> None:
    """Nothing is corrupt, and what was committed at an earlier call is there as it was.

    Args:
        out: A store, in whatever state.
        parts: A folder that keeps what was committed from call to call.

    Raises:
        AssertionError: one of these does not hold; the message says which.
    """
    parts.mkdir(parents=True, exist_ok=True)
    layout = StoreLayout(out)
    if examine_root(layout) is RootState.STORE:
        assert verify_store(out, False, Silent()).damage == (), "corrupt"
        for shard in layout.committed_shards():
            kept = parts / str(shard)
            if not kept.exists():
                kept.write_bytes(layout.part(shard).read_bytes())
    for kept in parts.iterdir():
        part = layout.part(int(kept.name))
        assert part.exists(), f"shard {kept.name} is lost"
        assert part.read_bytes() == kept.read_bytes(), f"shard {kept.name} was made twice"


def check_recovery(pictures: str, out: Path, whole: Path, committed: frozenset[int]) -> None:
    """After a failure: nothing corrupt, nothing lost, nothing twice, and what is built next equal.

    Args:
        pictures: What the store is built of.
        out: What the failure left.
        whole: The same store, never interrupted.
        committed: Shards that the build had committed before it.

    Raises:
        AssertionError: one of these does not hold; the message says which.
    """
    layout = StoreLayout(out)
    parts = {}
    if examine_root(layout) is RootState.STORE:
        assert verify_store(out, False, Silent()).damage == (), "corrupt"
        parts = {shard: layout.part(shard).read_bytes() for shard in layout.committed_shards()}
    assert committed <= parts.keys(), f"lost: of {set(committed)} there are {set(parts)}"
    run(pictures, out)
    assert verify_store(out, False, Silent()).damage == (), "corrupt after the resume"
    rows = open_store(out).manifest["row"].to_pylist()
    assert rows == list(range(len(rows))), f"rows lost or twice: {rows}"
    assert_equal_stores(out, whole)
    for shard, data in parts.items():
        assert layout.part(shard).read_bytes() == data, f"shard {shard} was made twice"
    assert list(layout.scratch.iterdir()) == [], "scratch files are left"
