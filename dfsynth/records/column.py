"""One column of a manifest: what it is called, holds and means."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a manifest."""

    name: str
    type: str
    """One of string, bool, int16, int32, int64, float32, list<string>."""
    description: str
    unit: str | None = None
    nullable: bool = True
    since: int = 1
    """The first version of the schema that has it."""
