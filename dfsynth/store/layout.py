"""Where everything of a store lies. Paths only, plus the scan that finds committed shards.

<root>/zarr.json                      group: attributes, consolidated metadata
<root>/<array>/zarr.json              one array (image, y, x)
<root>/<array>/c.<shard>.0.0          one shard object
<root>/manifest/part-NNNNNNN.parquet  the commit record of shard N
<root>/run/                           plan.parquet, build.json, lock, tmp/
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
    """The paths of the store in the folder `root`."""

    root: Path

    @property
    def group_metadata(self) -> Path:
        return self.root / "zarr.json"

    @property
    def manifest(self) -> Path:
        """Holds nothing but parts."""
        return self.root / "manifest"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def plan(self) -> Path:
        return self.run / "plan.parquet"

    @property
    def build(self) -> Path:
        """Written last in planning: it makes the folder a store."""
        return self.run / "build.json"

    @property
    def lock(self) -> Path:
        return self.run / "lock"

    @property
    def scratch(self) -> Path:
        """Where files are written before they get their name."""
        return self.run / "tmp"

    @property
    def removing(self) -> Path:
        """What `build` is renamed to while the store is being cleared."""
        return self.run / "removing.json"

    def part(self, shard: int) -> Path:
        """The manifest part whose presence means that `shard` is committed."""
        return self.manifest / f"part-{shard:07d}.parquet"

    def array(self, name: str) -> Path:
        """The folder of one array."""
        return self.root / name

    def array_metadata(self, name: str) -> Path:
        return self.array(name) / "zarr.json"

    def shard_object(self, name: str, shard: int) -> Path:
        """The file that holds the rows of `shard` of one array."""
        return self.array(name) / f"c.{shard}.0.0"

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
