"""Keeps the dataset card and the Croissant file of a store true.

They are written once all shards are there, by whoever finishes the store and holds all of it, and
taken away before anything that they say may change: what a kill leaves is no card or a true one.
Until then they say that the store is not finished, and count nothing: such may be written beside
those who make shards, by whoever holds the lock `DOCUMENTS`.
"""

from pathlib import Path
from typing import Final

from dfsynth.description import (
    CardState,
    card_state,
    counted_columns,
    gather_facts,
    write_card,
    write_croissant,
)
from dfsynth.description.croissant import croissant_state
from dfsynth.errors import StoreError
from dfsynth.files.durable import remove_durably, sweep, write_durably
from dfsynth.files.faults import store_faults
from dfsynth.files.locks import RunLock
from dfsynth.jobs.failure_counts import look_at_parts
from dfsynth.jobs.manifest_summary import keep_summary
from dfsynth.manifest import read_manifest
from dfsynth.progress import Progress
from dfsynth.store import StoreLayout
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.layout import CARD_OWNER, GROUP_OWNER, PLAN_OWNER, SUMMARY_OWNER
from dfsynth.store.pairs_record import PairsRecord
from dfsynth.store.record import StoreRecord, read_record

_SWEPT: Final = (PLAN_OWNER, GROUP_OWNER, CARD_OWNER, SUMMARY_OWNER)
"""Whose scratch files go at the end of a run; those of a shard go with its lock.

A summary may be in the making just then, since `describe_store` holds no lock: it is not kept, and
what it says is read again.
"""


def update_card(layout: StoreLayout) -> None:
    """Writes card and Croissant file where they are missing, or are those of another state.

    A card that bears no mark of ours stays as it is. Nobody else may be at work on the store: what
    is counted of it would be changed meanwhile.

    Raises:
        StoreError: the manifest is damaged, or the disk refuses.
        CheckpointError, UsageError: what is installed with dfsynth is damaged.
    """
    record = read_record(layout.build)
    state = _state_of_store(layout, record.shards)
    if not _is_told(layout, state):
        _tell(layout, record, state)


def lacks_unfinished_card(layout: StoreLayout, record: StoreRecord) -> bool:
    """Whether a store is not finished, and card or Croissant file do not say so.

    Raises:
        StoreError: the store cannot be looked at.
    """
    state = _state_of_store(layout, record.shards)
    return state is CardState.UNFINISHED and not _is_told(layout, state)


def write_unfinished_card(layout: StoreLayout) -> None:
    """Writes card and Croissant file of a store that is not finished; a card of one's own stays.

    Raises:
        StoreError: the disk refuses.
        CheckpointError, UsageError: as `update_card`.
    """
    _tell(layout, read_record(layout.build), CardState.UNFINISHED)


def finish_card(layout: StoreLayout, lock: RunLock) -> None:
    """`update_card` at the end of a run, where no other process is at work on the store.

    Otherwise the last one to end does it: it sees the shards of all. What killed plannings,
    extensions and cards left in the scratch folder goes as well.

    Raises:
        StoreError, CheckpointError, UsageError: as `update_card`.
    """
    if not lock.supported():
        update_card(layout)
    elif lock.try_whole():
        try:
            # What a killed process left; nobody else is writing here now.
            for owner in _SWEPT:
                sweep(layout.scratch, owner)
            update_card(layout)
        finally:
            lock.release_whole()


def mend_card(layout: StoreLayout, progress: Progress) -> None:
    """`finish_card` for a run that has nothing to do.

    An earlier one may have been killed at its last step, or be of a version that wrote no card.
    That the disk cannot be written is said, and is no error.

    Raises:
        CheckpointError, UsageError: what is installed with dfsynth is damaged.
    """
    if CardState.FINISHED is _held_card(layout) is _held_croissant(layout):
        return
    try:
        # A copy of a store, such as the one that an object store is brought into, may lack some.
        layout.make_folders()
        with RunLock(layout.lock) as lock:
            finish_card(layout, lock)
    except StoreError as error:
        progress.message(f"no dataset card is written: {error}")


def withdraw_card(layout: StoreLayout) -> None:
    """Takes card and Croissant file away before the store changes; a card of one's own stays.

    Raises:
        StoreError: the disk refuses.
    """
    ours = _held_card(layout) is not CardState.OWN
    remove_durably([layout.card, layout.croissant] if ours else [layout.croissant])


def _state_of_store(layout: StoreLayout, shards: int) -> CardState:
    whole = layout.committed_shards() >= set(range(shards)) and not layout.replaced_shards()
    return CardState.FINISHED if whole else CardState.UNFINISHED


def _is_told(layout: StoreLayout, state: CardState) -> bool:
    card = _held_card(layout)
    return card in (state, CardState.OWN) and _held_croissant(layout) is state


def _tell(layout: StoreLayout, record: BuildRecord | PairsRecord, state: CardState) -> None:
    schema, manifest = record.manifest_schema, None
    if state is CardState.FINISHED:
        looks = look_at_parts(layout)
        manifest = read_manifest(layout.manifest, schema, counted_columns(schema))
        keep_summary(layout, looks, manifest)
    facts = gather_facts(layout, record, manifest)
    _write(layout, layout.croissant, write_croissant(facts))
    if _held_card(layout) is not CardState.OWN:
        _write(layout, layout.card, write_card(facts))


def _held_card(layout: StoreLayout) -> CardState | None:
    content = _read(layout.card)
    return None if content is None else card_state(content)


def _held_croissant(layout: StoreLayout) -> CardState | None:
    content = _read(layout.croissant)
    return None if content is None else croissant_state(content)


def _read(path: Path) -> bytes | None:
    with store_faults(f"read {path}"):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None


def _write(layout: StoreLayout, target: Path, content: bytes) -> None:
    write_durably(target, content, layout.scratch, CARD_OWNER)
