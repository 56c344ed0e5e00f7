"""Whatever happens to a store, in whatever order: it ends equal to one that nothing happened to."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import build_processes
import pytest
from build_processes import build, options_of
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from radiograph_files import write_folder
from store_content import assert_equal_stores
from toy_generator import ToyGenerator, ToyMaker

from dfsynth.errors import ConflictError
from dfsynth.jobs.build import run_build
from dfsynth.jobs.build_planning import BuildJob
from dfsynth.jobs.planning import plan_or_resume
from dfsynth.jobs.verify import verify_store
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.source import open_source
from dfsynth.store import StoreLayout
from dfsynth.store.zarr.paths import shard_path

ROWS, SHARD_ROWS = 8, 2
SHARDS = range(ROWS // SHARD_ROWS)
PLANNING = (45, 76)
"""Changes of the disk between which the files of a plan are written."""
METADATA = None
"""In the place of a shard: what is damaged belongs to the whole store."""

Ask = Callable[..., int | None]
Damage = Callable[[StoreLayout, int], int | None]


def flip_a_byte(layout: StoreLayout, shard: int) -> int | None:
    path = shard_path(layout, "dark_field", shard)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)
    return shard


def lose_the_object(layout: StoreLayout, shard: int) -> int | None:
    shard_path(layout, "dark_field", shard).unlink()
    return shard


def mix_up_objects(layout: StoreLayout, shard: int) -> int | None:
    """Puts another shard's object in its place: intact, but not what the manifest sums up."""
    path = shard_path(layout, "dark_field", shard)
    paths = (shard_path(layout, "dark_field", other) for other in SHARDS if other != shard)
    others = (other.read_bytes() for other in paths if other.exists())
    # Of two shards mixed up one after the other, the first holds what belongs in the second.
    content = next((other for other in others if other != path.read_bytes()), None)
    if content is None:
        return flip_a_byte(layout, shard)
    path.write_bytes(content)
    return shard


def cut_the_part(layout: StoreLayout, shard: int) -> int | None:
    path = layout.part(shard)
    path.write_bytes(path.read_bytes()[:-20])
    return shard


def change_the_metadata(layout: StoreLayout, shard: int) -> int | None:
    path = layout.root / "zarr.json"
    path.write_text(path.read_text().replace("not for diagnosis", "fine for diagnosis"))
    return METADATA


DAMAGES = (flip_a_byte, lose_the_object, mix_up_objects, cut_the_part, change_the_metadata)


class Interrupted(ToyMaker):
    """Of a generator that Ctrl-C meets at its `picture`-th picture."""

    def __init__(self, picture: int) -> None:
        super().__init__(batch_size=1)
        self.picture = picture

    def make(self, *_arguments: object) -> ToyGenerator:
        maker = self

        class Generator(ToyGenerator):
            def generate(self, inputs, image_ids):
                maker.picture -= 1
                if maker.picture == 0:
                    raise KeyboardInterrupt
                return super().generate(inputs, image_ids)

        return Generator(self.batch_size, self.seed)


class StoreStates(RuleBasedStateMachine):
    """One store: this process works on it, others that are killed, and one that halts."""

    def __init__(self, pictures: Path, whole: Path, folder: Path, ask: Ask) -> None:
        super().__init__()
        self.pictures = pictures
        self.whole = whole
        self.ask = ask
        self.layout = StoreLayout(folder / "x.zarr")
        self.halted: int | None = None
        """Rows that the halted process had written when it halted, if there is one."""
        self.damaged: set[int | None] = set()
        self.unreadable = False
        """Whether a part is damaged, which a build refuses to go on from."""
        self.kept: dict[int, list[tuple[int, bytes]]] = {}
        """Of each committed, undamaged shard: the number and the content of its files."""

    @initialize(change=st.none() | st.integers(*PLANNING))
    def begin(self, change: int | None) -> None:
        """Half of the stores begin with a process that is killed while it plans."""
        self.ask("kill")
        shutil.rmtree(self.layout.root, ignore_errors=True)
        if change is not None:
            self.kill_another(change)

    def planned(self) -> bool:
        return self.layout.build.exists()

    def committed(self) -> frozenset[int]:
        return self.layout.committed_shards() if self.layout.manifest.exists() else frozenset()

    def to_do(self) -> bool:
        """Whether a build would find something to do, and go on."""
        return len(self.committed()) < len(SHARDS) and not self.unreadable

    def rows_since(self, before: frozenset[int]) -> int:
        assert before <= self.committed()
        return SHARD_ROWS * len(self.committed() - before)

    def files(self, shard: int) -> list[tuple[int, bytes]]:
        paths = (self.layout.part(shard), shard_path(self.layout, "dark_field", shard))
        return [(path.stat().st_ino, path.read_bytes()) for path in paths]

    @precondition(lambda self: not self.planned())
    @rule()
    def plan(self) -> None:
        options = options_of(self.pictures, self.layout.root)
        job = BuildJob(options, open_source(options.source, None), ToyMaker(batch_size=1))
        with plan_or_resume(job, self.layout, Silent()) as planned:
            assert not planned.resumed
            assert planned.record.rows == ROWS

    @precondition(to_do)
    @rule(partition=st.sampled_from([(0, 1), (0, 2), (1, 2), (0, 4), (2, 4)]))
    def build(self, partition: tuple[int, int] = (0, 1)) -> None:
        before = self.committed()
        report = build(self.pictures, self.layout.root, partition)
        assert report.ok + report.failed == self.rows_since(before)
        share = set(SHARDS[partition[0] :: partition[1]])
        assert len(share - self.committed()) == report.elsewhere
        assert self.halted is not None or report.elsewhere == 0

    @precondition(to_do)
    @rule(picture=st.integers(1, 6))
    def interrupt(self, picture: int) -> None:
        options = options_of(self.pictures, self.layout.root)
        maker = Interrupted(picture)
        try:
            run_build(options, maker, Silent())
        except KeyboardInterrupt:
            assert maker.picture == 0
        else:
            assert maker.picture > 0

    @precondition(to_do)
    @rule(change=st.integers(1, 120))
    def kill_another(self, change: int) -> None:
        before = self.committed()
        rows = self.ask("kill_at", str(self.layout.root), change)
        assert rows in (None, self.rows_since(before))

    @precondition(lambda self: self.to_do() and self.halted is None)
    @rule(picture=st.integers(1, 3))
    def halt_another(self, picture: int) -> None:
        before = self.committed()
        rows = self.ask("halt_at", str(self.layout.root), picture)
        if rows is None:
            self.halted = self.rows_since(before)
        else:
            assert rows == self.rows_since(before)

    @precondition(lambda self: self.halted is not None and not self.unreadable)
    @rule()
    def let_it_go_on(self) -> None:
        before = self.committed()
        assert self.ask("go_on") == self.rows_since(before) + (self.halted or 0)
        self.halted = None

    @precondition(lambda self: self.halted is not None)
    @rule()
    def kill_it(self) -> None:
        self.ask("kill")
        self.halted = None

    @precondition(lambda self: self.kept)
    @rule(damage=st.sampled_from(DAMAGES), number=st.integers(0, len(SHARDS) - 1))
    def damage(self, damage: Damage, number: int) -> None:
        shard = sorted(self.kept)[number % len(self.kept)]
        found = damage(self.layout, shard)
        self.damaged.add(found)
        self.unreadable |= damage is cut_the_part
        if found is not METADATA:
            del self.kept[shard]

    @precondition(lambda self: self.damaged or self.halted is not None)
    @rule()
    def repair(self) -> None:
        before = self.committed()
        self.verify()
        if self.halted is not None:
            with pytest.raises(ConflictError, match="another process"):
                verify_store(self.layout.root, True, Silent())
            assert self.committed() == before
            return
        found = verify_store(self.layout.root, True, Silent())
        assert set(found.requeued) == self.damaged - {METADATA}
        assert self.committed() == before - self.damaged
        self.damaged, self.unreadable = set(), False

    def verify(self) -> None:
        found = verify_store(self.layout.root, False, Silent())
        assert {damage.shard for damage in found.damage} == self.damaged
        assert found.requeued == ()

    @invariant()
    def what_is_committed_stays_as_it_is(self) -> None:
        for shard, files in self.kept.items():
            assert self.files(shard) == files, f"shard {shard} was written twice"
        for shard in self.committed() - self.kept.keys() - self.damaged:
            self.kept[shard] = self.files(shard)

    def teardown(self) -> None:
        if self.halted is not None and self.unreadable:
            self.kill_it()
        elif self.halted is not None:
            if self.to_do():
                self.build()
            self.let_it_go_on()
        if self.damaged:
            self.repair()
        self.build()
        self.what_is_committed_stays_as_it_is()
        self.verify()
        assert self.committed() == set(SHARDS)
        assert list(self.layout.scratch.iterdir()) == []
        assert_equal_stores(self.layout.root, self.whole)


def test_any_history_ends_in_the_same_store(tmp_path, start_child, monkeypatch):
    # As in the other processes: only a power cut would show what was flushed.
    monkeypatch.setattr("os.fsync", lambda _: None)
    pictures = write_folder(tmp_path / "pictures", 6)
    # First and last, so that each shard holds an image: of rows that failed, `verify` reads none.
    for name in ("bad.png", "worse.png"):
        (pictures / name).write_bytes(b"")
    whole = tmp_path / "whole.zarr"
    options = BuildOptions(str(pictures), whole, shard_size=SHARD_ROWS, maps=("dark_field",))
    assert run_build(options, ToyMaker(), Silent()).rows == ROWS
    processes = start_child(Path(build_processes.__file__), pictures)

    def ask(*request: object) -> int | None:
        assert processes.poll() is None, processes.stderr.read()
        processes.stdin.write(json.dumps(request) + "\n")
        processes.stdin.flush()
        answer = processes.stdout.readline()
        assert answer, processes.stderr.read()
        return json.loads(answer)

    class States(StoreStates):
        def __init__(self) -> None:
            super().__init__(pictures, whole, tmp_path, ask)

    run_state_machine_as_test(
        States,
        settings=settings(
            max_examples=25,
            stateful_step_count=12,
            derandomize=True,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
