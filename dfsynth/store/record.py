"""`build.json`: what a store was made from, whichever command made it."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final, Protocol

from dfsynth.errors import StoreError, UsageError
from dfsynth.files.json_record import parse_object, without_checksum
from dfsynth.manifest import ManifestSchema
from dfsynth.store import ArraySpec, Json
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.cut import Cut
from dfsynth.store.pairs_record import PairsRecord
from dfsynth.store.provenance import LAYOUT_VERSION

_KINDS: Final[Mapping[str, type[BuildRecord] | type[PairsRecord]]] = {
    "build": BuildRecord,
    "pairs": PairsRecord,
}


class StoreRecord(Protocol):
    """What planning, claims, verification and reading need to know of a store."""

    command: ClassVar[str]
    """The command that makes such stores."""
    known_versions: ClassVar[tuple[int, ...]]
    """The schema versions of such stores that this version of dfsynth reads, and goes on with."""

    @property
    def manifest_schema(self) -> ManifestSchema:
        """What the rows of the manifest hold."""

    @property
    def layout_version(self) -> int:
        """Of the documents, which a store keeps: 1 as version 0.1 wrote them, or 2."""

    @property
    def plan_id(self) -> str:
        """Drawn at random when the plan was made: a later one with equal options has another."""

    @property
    def rows(self) -> int:
        """Images, or pairs, of the store."""

    @property
    def shards(self) -> int:
        """Shards of the store."""

    @property
    def shard_size(self) -> int:
        """Rows of a shard; the last may hold fewer."""

    @property
    def cut(self) -> Cut:
        """How the planned rows lie in the shards."""

    @property
    def arrays(self) -> tuple[ArraySpec, ...]:
        """The arrays of the store, each (image, y, x).

        Raises:
            StoreError: A name, a type or an extent is none that an array can have.
        """

    @property
    def excluded(self) -> Mapping[str, int]:
        """Inputs that were not planned, by reason."""

    def provenance(self) -> dict[str, Json]:
        """What made the store of what, with units, seed, versions and a notice."""

    def attributes(self) -> dict[str, Json]:
        """The attributes of the store's group: its provenance, as its documents spell it."""

    def to_json(self) -> bytes:
        """The content of `build.json`.

        Raises:
            ValueError: A number is NaN or infinite, which JSON does not know.
            TypeError: A value is of a type that JSON does not know.
        """


def read_record(path: Path) -> BuildRecord | PairsRecord:
    """Reads `build.json`.

    Raises:
        UsageError: it is missing: there is no store.
        StoreError: it cannot be read, is damaged, or of another kind or schema version.
    """
    root = path.parent.parent
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(
            f"{root} is no dfsynth store: {path} is not there; expected a folder that dfsynth "
            "build or simulate has planned, such as x.zarr; check the path, or make the store first"
        ) from None
    except OSError as error:
        raise StoreError(
            f"{root} cannot be read as a dfsynth store: {path} was refused ({error.strerror}); "
            "expected a file that this user may read; check its permissions and the disk"
        ) from error
    return _parse(raw, path)


def _parse(raw: bytes, path: Path) -> BuildRecord | PairsRecord:
    try:
        found = parse_object(raw)
        version = found["schema_version"]
        # Stores that were made before there were pairs name no kind.
        kind = found.get("kind", "build")
        if kind not in _KINDS:
            raise StoreError(
                f"{path} is that of a store of {kind!r}; this version of dfsynth reads "
                f"{' and '.join(_KINDS)}"
            )
        record_type = _KINDS[kind]
        if version not in record_type.known_versions:
            raise StoreError(
                f"{path} has schema version {version!r}; this version of dfsynth reads "
                f"{' and '.join(map(str, record_type.known_versions))}"
            )
        layout_version = found.get("layout_version", 1)
        if layout_version > LAYOUT_VERSION:
            raise StoreError(
                f"{path} has layout version {layout_version}; this version of dfsynth reads up to "
                f"{LAYOUT_VERSION}: take a newer one"
            )
        entries = without_checksum(found)
        entries.pop("kind", None)
        record = record_type.from_document(entries)
        # What follows from the entries shows whether they are of the types that they must be.
        _ = record.arrays, record.attributes(), record.manifest_schema.arrow
        held = range(record.cut.rows), range(record.cut.shards)
        if held != (range(record.rows), range(record.shards)):
            raise ValueError("rows or shards that are not those of its segments")
        return record
    except UsageError as error:
        raise StoreError(f"{path}: {error}; take a newer version of dfsynth") from error
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise StoreError(f"{path} is damaged; restore it or build the store again") from error
