"""How the planned rows of a store are cut into shards, planning after planning. Pure.

Each planning begins a shard of its own, so that rows that came later never touch a shard that was
there. Where the last shard of an earlier planning is not full, the rows up to its end are of no
input: they have no line in the plan, no row in the manifest, and read as the fill value.
"""

from dataclasses import dataclass

from dfsynth.counted_nouns import counted


@dataclass(frozen=True, slots=True)
class Cut:
    """Rows and shards of a store whose plan grew by `segments`, one after the other."""

    shard_size: int
    """Rows of a shard; the last of each segment may hold fewer."""
    segments: tuple[int, ...]
    """Inputs of each planning, in order."""

    @property
    def inputs(self) -> int:
        """Planned inputs: lines of the plan."""
        return sum(self.segments)

    @property
    def shards(self) -> int:
        """Shards of all segments."""
        return sum(map(self.shards_of, self.segments))

    @property
    def rows(self) -> int:
        """Rows of the arrays: up to the last planned one."""
        last = self.segments[-1]
        return (self.shards - self.shards_of(last)) * self.shard_size + last

    def shards_of(self, inputs: int) -> int:
        """Shards that a segment of so many inputs fills, the last maybe in part."""
        return -(-inputs // self.shard_size)

    def place(self, shard: int) -> tuple[int, int]:
        """The segment that a shard belongs to, and its number within that.

        Raises:
            IndexError: there is no such shard.
        """
        inner = shard
        for number, inputs in enumerate(self.segments):
            if 0 <= inner < self.shards_of(inputs):
                return number, inner
            inner -= self.shards_of(inputs)
        raise IndexError(
            f"there is no shard {shard}: found {counted(self.shards, 'shard')}, from 0 on"
        )

    def rows_of(self, shard: int) -> range:
        """The planned rows of a shard.

        Raises:
            IndexError: there is no such shard.
        """
        segment, inner = self.place(shard)
        first, left = shard * self.shard_size, self.segments[segment] - inner * self.shard_size
        return range(first, first + min(self.shard_size, left))

    def extended(self, inputs: int) -> "Cut":
        """With so many inputs more, in shards of their own."""
        return Cut(self.shard_size, (*self.segments, inputs))
