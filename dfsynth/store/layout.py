"""Where the files lie that every store has, and the scan that finds committed shards.

<folder>/manifest/part-NNNNNNN.parquet  the commit record of shard N
<folder>/run/                           plan.pq, build.json, lock, failures.jsonl,
                                        summary.json, tmp/
<folder>/README.md, croissant.json      what the store is, for people and for programs
<folder>/run/partial-NNNNNNN.rows       finished rows of shard N, which has no part yet
<folder>/run/replacing-NNNNNNN          the files of shard N are being replaced under its part

A store is a folder, x.zarr, or a file with a folder beside it, x.h5 and x.h5.parts.

Where the arrays lie is the business of their format; of Zarr, `dfsynth.store.zarr.paths` says so.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dfsynth.files.durable import make_folder
from dfsynth.files.faults import is_there, store_faults
from dfsynth.files.object_path import ObjectPath

FILE_SUFFIXES: Final = frozenset({".h5", ".hdf5"})
"""Endings, in lower case, of stores that are a file with a folder beside it."""
PLAN_OWNER: Final = "plan"
"""What the scratch files of planning are named after; `StoreLayout.owner` says it of shards."""
GROUP_OWNER: Final = "group"
"""What the scratch files of the documents of the arrays are named after."""
CARD_OWNER: Final = "card"
"""What the scratch files of card and Croissant metadata are named after."""
SUMMARY_OWNER: Final = "summary"
"""What the scratch files of the manifest's summary are named after."""
_FOLDER_SUFFIX: Final = ".parts"
_PART: Final = re.compile(r"part-(\d{7,})\.parquet")
_REPLACING: Final = re.compile(r"replacing-(\d{7,})")


@dataclass(frozen=True, slots=True)
class StoreLayout:
    """The paths of one store; nothing needs to exist there."""

    root: Path
    """What people name: the folder of the store, or its file, even where its folder is named."""
    objects: ObjectPath | None = None
    """Where the shards of the arrays are read from, if not from there: see `store.remote`."""

    def __post_init__(self) -> None:
        if self.root.suffix != _FOLDER_SUFFIX:
            return
        named = self.root.with_suffix("")
        if named.suffix.lower() in FILE_SUFFIXES:
            object.__setattr__(self, "root", named)

    @property
    def is_file(self) -> bool:
        """Whether the store is named by a file, and has its folder beside it."""
        return self.root.suffix.lower() in FILE_SUFFIXES

    @property
    def folder(self) -> Path:
        """The folder that holds everything but, of some formats, one file at `root`."""
        if self.is_file:
            return self.root.with_name(self.root.name + _FOLDER_SUFFIX)
        return self.root

    @property
    def manifest(self) -> Path:
        """The folder of the manifest, which holds nothing but parts."""
        return self.folder / "manifest"

    @property
    def run(self) -> Path:
        """The folder of what the run that makes the store keeps."""
        return self.folder / "run"

    @property
    def plans(self) -> tuple[Path, Path]:
        """Where the plan may lie: under its name, and under the one that version 0.1 gave it.

        Readers that take every `.parquet` file below a folder (DuckDB: `read_parquet('x.zarr')`)
        must meet the parts of the manifest and nothing else.
        """
        return self.run / "plan.pq", self.run / "plan.parquet"

    @property
    def plan(self) -> Path:
        """Which input becomes which row, as Parquet; looks whether the plan has its old name.

        Raises:
            StoreError: the system refuses to look.
        """
        current, former = self.plans
        return former if is_there(former) else current

    @property
    def build(self) -> Path:
        """What the store is made from; written last in planning, it makes the folder a store."""
        return self.run / "build.json"

    @property
    def lock(self) -> Path:
        """The file on which processes lock the shards they work on."""
        return self.run / "lock"

    @property
    def card(self) -> Path:
        """The dataset card: what the store is, for people."""
        return self.folder / "README.md"

    @property
    def croissant(self) -> Path:
        """The same as Croissant metadata, for programs."""
        return self.folder / "croissant.json"

    @property
    def scratch(self) -> Path:
        """The folder where files are written before they get their name."""
        return self.run / "tmp"

    @property
    def planning(self) -> Path:
        """A mark that what else lies here, short of `build`, was made by a planning of ours."""
        return self.run / "planning"

    @property
    def removing(self) -> Path:
        """What `build` is renamed to while the store is being cleared."""
        return self.run / "removing.json"

    def part(self, shard: int) -> Path:
        """The manifest part whose presence means that `shard` is committed."""
        return self.manifest / f"part-{shard:07d}.parquet"

    def partial(self, shard: int) -> Path:
        """The finished rows of a shard whose run was stopped; their values lie in its arrays."""
        return self.run / f"partial-{shard:07d}.rows"

    @property
    def failures(self) -> Path:
        """What failed in each shard of a large store, so that not every part has to be opened."""
        return self.run / "failures.jsonl"

    @property
    def summary(self) -> Path:
        """What the manifest of a large store says as a whole, so that its parts stay closed."""
        return self.run / "summary.json"

    def replacing(self, shard: int) -> Path:
        """A mark that the array files of a committed shard are being replaced.

        While it is there, rows that the shard's part calls failed may hold values.
        """
        return self.run / f"replacing-{shard:07d}"

    def owner(self, shard: int) -> str:
        """What the scratch files of a shard are named after, for `DurableFile` and `sweep`."""
        return f"shard-{shard:07d}"

    def make_folders(self) -> None:
        """Makes the folders that every store has.

        Raises:
            StoreError: one cannot be made.
        """
        for folder in (self.folder, self.run, self.scratch, self.manifest):
            make_folder(folder)

    def committed_shards(self) -> frozenset[int]:
        """The shards that have a manifest part, from one scan of the folder.

        Raises:
            StoreError: the manifest folder cannot be read.
        """
        return _numbers(self.manifest, _PART)

    def replaced_shards(self) -> frozenset[int]:
        """The committed shards whose replacement was begun and has not ended.

        Raises:
            StoreError: the folder of the run cannot be read.
        """
        return _numbers(self.run, _REPLACING)


def shard_of_part(name: str) -> int | None:
    """The shard whose manifest part has this name; None where it is no part's."""
    match = _PART.fullmatch(name)
    return int(match[1]) if match else None


def _numbers(folder: Path, pattern: re.Pattern[str]) -> frozenset[int]:
    with store_faults(f"list {folder}"), os.scandir(folder) as entries:
        matches = [pattern.fullmatch(entry.name) for entry in entries]
    return frozenset(int(match[1]) for match in matches if match)
