"""The checkpoint that made a store, found and identified again."""

from dfsynth.checkpoint import (
    CheckpointFiles,
    checkpoint_path,
    packaged_generators,
    read_checkpoint,
)
from dfsynth.errors import ConflictError, UsageError
from dfsynth.store.build_record import BuildRecord


def find_checkpoint(record: BuildRecord, wanted: str | None) -> CheckpointFiles:
    """The checkpoint of a store: `wanted` (a name or a folder), else the packaged one that made it.

    Raises:
        ConflictError: the checkpoint of that name, or that was given, is not the store's.
        UsageError: no packaged checkpoint made the store, or there is none called `wanted`.
        CheckpointError: a damaged checkpoint.
    """
    made_by = record.fingerprint.checkpoint_sha256
    if wanted is not None:
        given = read_checkpoint(checkpoint_path(wanted))
        if given.sha256 != made_by:
            raise ConflictError(
                f"--checkpoint {wanted}: the store was made by {_identity(record)}, this one is "
                f"{given.card.name} (sha256 {given.sha256[:12]}…); give the checkpoint that made "
                "the store, or build it again with this one"
            )
        return given
    packaged = [read_checkpoint(folder) for folder in packaged_generators()]
    for files in packaged:
        if files.sha256 == made_by:
            return files
    if any(files.card.name == record.checkpoint for files in packaged):
        raise ConflictError(
            f"the store was made by {_identity(record)}, and the packaged checkpoint of that name "
            "is another one; build it again, or name the folder of the one that made it with "
            "--checkpoint"
        )
    raise UsageError(
        f"the store was made by {_identity(record)}, which is no packaged checkpoint; name its "
        "folder with --checkpoint"
    )


def _identity(record: BuildRecord) -> str:
    return f"{record.checkpoint} (sha256 {record.fingerprint.checkpoint_sha256[:12]}…)"
