"""Takes things out of a store: one shard, or everything, and never anything of others."""

import stat
from collections.abc import Sequence, Set
from enum import Enum
from pathlib import Path

from dfsynth.errors import ConflictError
from dfsynth.files.durable import is_temporary, remove_durably, remove_entry, sync_folder
from dfsynth.files.faults import store_faults
from dfsynth.files.json_record import parse_object
from dfsynth.store.layout import StoreLayout
from dfsynth.store.registry import format_of


class RootState(Enum):
    """What lies where a store is wanted."""

    FREE = "free"
    """Nothing, or an empty folder."""
    STORE = "store"
    """A store: its build.json is there."""
    UNFINISHED = "unfinished"
    """What planning or clearing left when it was killed: `clear_store`, then plan."""
    NOT_A_STORE = "not a store"
    """Somebody else's: never touched."""


def remove_shard(layout: StoreLayout, names: Sequence[str], shard: int) -> None:
    """Takes a shard of the arrays `names` back: first its manifest part, then its array files.

    In that order a kill in between leaves an uncommitted shard, never a part without arrays. Rows
    that a stopped run has kept of it go too.

    Raises:
        StoreError: A file cannot be removed.
    """
    remove_durably([layout.part(shard)])
    remove_durably([layout.partial(shard), layout.replacing(shard)])
    remove_durably(format_of(layout).shard_files(layout, names, shard))


def examine_root(layout: StoreLayout) -> RootState:
    """What lies at the root of a layout; links inside it are never followed.

    Another process may be planning a store there: what is half planned at the first look can be
    a store at the next, so that nothing is called anything else before a last look at build.json.
    Nor by one round of looks: a mark that was not there yet may have been made before a file that
    was then seen. In a second round, everything is there that came before what the first saw.

    Raises:
        StoreError: it cannot be looked at.
    """
    with store_faults(f"look into {layout.root}"):
        state = _look_at_all(layout)
        return _look_at_all(layout) if state is RootState.NOT_A_STORE else state


def _look_at_all(layout: StoreLayout) -> RootState:
    folder = layout.folder
    if _exists(folder) and not folder.is_dir():
        return RootState.NOT_A_STORE
    if not folder.exists() or not any(folder.iterdir()):
        alone = layout.is_file and _exists(layout.root)
        return RootState.NOT_A_STORE if alone else RootState.FREE
    return _examine_run(layout) if _is_folder(layout.run) else RootState.NOT_A_STORE


def _examine_run(layout: StoreLayout) -> RootState:
    if _is_build_record(layout.build):
        return RootState.STORE
    unfinished = _is_build_record(layout.removing) or _is_bare_plan(layout)
    if _is_build_record(layout.build):
        return RootState.STORE
    return RootState.UNFINISHED if unfinished else RootState.NOT_A_STORE


def clear_store(layout: StoreLayout) -> None:
    """Removes a store down to `run/lock`, which the caller holds whole.

    Killed on the way, it leaves what `examine_root` calls unfinished, and can be called again.

    Raises:
        ConflictError: the folder is not empty and holds no store of ours.
        StoreError: something cannot be removed.
    """
    state = examine_root(layout)
    if state is RootState.FREE:
        return
    if state is RootState.NOT_A_STORE:
        raise ConflictError(
            f"{layout.root} is not removed: it is not empty and holds no run/build.json of "
            "dfsynth; choose another --out, or empty it yourself"
        )
    with store_faults(f"clear {layout.root}"):
        if state is RootState.STORE:
            # From here on the folder is no store, yet still known to be ours.
            layout.build.replace(layout.removing)
            sync_folder(layout.run)
        if layout.is_file:
            remove_entry(layout.root)
            sync_folder(layout.root.parent)
        for entry in _others(layout.folder, layout.run):
            remove_entry(entry)
        for entry in _others(layout.run, layout.lock, layout.removing):
            remove_entry(entry)
    sync_folder(layout.folder)
    remove_durably([layout.removing])


def _others(folder: Path, *kept: Path) -> list[Path]:
    return [entry for entry in sorted(folder.iterdir()) if entry not in kept]


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _is_folder(path: Path) -> bool:
    """Whether `path` is a folder, and not a link to one."""
    return stat.S_ISDIR(_mode(path))


def _is_file(path: Path) -> bool:
    """Whether `path` is a regular file, and not a link to one."""
    return stat.S_ISREG(_mode(path))


def _mode(path: Path) -> int:
    """Of `path` itself, be it a link; 0, which is no kind of file, where there is nothing."""
    try:
        return path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _is_build_record(path: Path) -> bool:
    """Whether `path` is a build.json as dfsynth writes it: other programs have such files too."""
    if not _is_file(path):
        return False
    try:
        record = parse_object(path.read_bytes())
    except (ValueError, FileNotFoundError):
        # No JSON object; or renamed since, by a process that begins to clear the store.
        return False
    return {"schema_version", "fingerprint"} <= record.keys()


def _is_bare_plan(layout: StoreLayout) -> bool:
    """Whether the folder holds nothing but what planning makes before its build.json."""
    # In this order: the lock may be made by another process between the two.
    return _is_bare_start(layout) or (_is_file(layout.lock) and _is_bare_planning(layout))


def _is_bare_start(layout: StoreLayout) -> bool:
    """What is there before the lock: folders, and no file in any of them."""
    documents = (layout.folder / name for name in format_of(layout).documents)
    named = [layout.root] if layout.is_file else []
    files = filter(_is_file, (*named, *documents, *layout.folder.glob("*/*")))
    return not any(files) and _is_begun(layout, {layout.scratch.name})


def _is_bare_planning(layout: StoreLayout) -> bool:
    plans = (plan.name for plan in layout.plans)
    names = {layout.lock.name, layout.planning.name, layout.scratch.name, *plans}
    return _is_begun(layout, names)


def _is_begun(layout: StoreLayout, in_run: Set[str]) -> bool:
    """Whether nothing lies there but what planning makes, and bears its mark.

    Documents of arrays without the mark are another program's, whatever they are called.
    """
    known = format_of(layout)
    if layout.is_file and _exists(layout.root) and not known.has_group(layout):
        return False
    documents = known.documents if _is_file(layout.planning) else frozenset[str]()
    if _exists(layout.scratch) and not all(map(is_temporary, layout.scratch.iterdir())):
        return False
    if _is_file(layout.lock) and layout.lock.stat().st_size:
        return False
    return _holds_only(layout.run, in_run) and all(
        _is_file(entry) if entry.name in documents else _holds_only(entry, documents)
        for entry in _others(layout.folder, layout.run)
    )


def _holds_only(folder: Path, names: Set[str]) -> bool:
    return _is_folder(folder) and all(entry.name in names for entry in folder.iterdir())
