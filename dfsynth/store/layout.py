"""Where the files lie that every store has, and the scan that finds committed shards.

<root>/manifest/part-NNNNNNN.parquet  the commit record of shard N
<root>/run/                           plan.pq, build.json, lock, tmp/

Where the arrays lie is the business of their format; of Zarr, `dfsynth.store.zarr.paths` says so.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dfsynth.files.durable import make_folder
from dfsynth.files.faults import store_faults

_PART: Final = re.compile(r"part-(\d{7,})\.parquet")


@dataclass(frozen=True, slots=True)
class StoreLayout:
    """The paths of one store; nothing needs to exist there."""

    root: Path
    """The folder of the store."""

    @property
    def manifest(self) -> Path:
        """The folder of the manifest, which holds nothing but parts."""
        return self.root / "manifest"

    @property
    def run(self) -> Path:
        """The folder of what the run that makes the store keeps."""
        return self.root / "run"

    @property
    def plans(self) -> tuple[Path, Path]:
        """Where the plan may lie: under its name, and under the one that version 0.1 gave it.

        Readers that take every `.parquet` file below a folder (DuckDB: `read_parquet('x.zarr')`)
        must meet the parts of the manifest and nothing else.
        """
        return self.run / "plan.pq", self.run / "plan.parquet"

    @property
    def plan(self) -> Path:
        """Which input becomes which row, as Parquet; looks whether the plan has its old name."""
        current, former = self.plans
        return former if former.exists() else current

    @property
    def build(self) -> Path:
        """What the store is made from; written last in planning, it makes the folder a store."""
        return self.run / "build.json"

    @property
    def lock(self) -> Path:
        """The file on which processes lock the shards they work on."""
        return self.run / "lock"

    @property
    def scratch(self) -> Path:
        """The folder where files are written before they get their name."""
        return self.run / "tmp"

    @property
    def removing(self) -> Path:
        """What `build` is renamed to while the store is being cleared."""
        return self.run / "removing.json"

    def part(self, shard: int) -> Path:
        """The manifest part whose presence means that `shard` is committed."""
        return self.manifest / f"part-{shard:07d}.parquet"

    def owner(self, shard: int) -> str:
        """What the scratch files of a shard are named after, for `DurableFile` and `sweep`."""
        return f"shard-{shard:07d}"

    def make_folders(self) -> None:
        """Makes the folders that every store has.

        Raises:
            StoreError: one cannot be made.
        """
        for folder in (self.root, self.run, self.scratch, self.manifest):
            make_folder(folder)

    def committed_shards(self) -> frozenset[int]:
        """The shards that have a manifest part, from one scan of the folder.

        Raises:
            StoreError: the manifest folder cannot be read.
        """
        with store_faults(f"list {self.manifest}"), os.scandir(self.manifest) as entries:
            matches = [_PART.fullmatch(entry.name) for entry in entries]
        return frozenset(int(match[1]) for match in matches if match)
