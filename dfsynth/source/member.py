"""What the readers of tar and zip share: names of members, and sentences about archives."""

from collections.abc import Mapping

from dfsynth.counted_nouns import counted
from dfsynth.errors import DfsynthError
from dfsynth.files.object_path import AnyPath
from dfsynth.source import exclusion

_SENTENCES = {
    exclusion.LINK: (
        "member is a link and was left out; write the archive with the file",
        "members are links and were left out; write the archive with the files",
    ),
    exclusion.SPARSE: (
        "member is sparse and was left out; write the archive without it",
        "members are sparse and were left out; write the archive without them",
    ),
    exclusion.UNDECODABLE: (
        "member has a name that is not UTF-8 and was left out; rename it",
        "members have names that are not UTF-8 and were left out; rename them",
    ),
    exclusion.ARCHIVE: (
        f"archive inside the archive is not read; {exclusion.UNPACK_ADVICE}",
        f"archives inside the archive are not read; {exclusion.UNPACK_ADVICE}",
    ),
}
"""Of each reason: what follows a count of one, and of several."""


def image_id_of(member: str) -> str:
    """A member's name as the same file would be called in a folder: without a leading `./`."""
    while member.startswith("./"):
        member = member[2:].lstrip("/")
    return member


def archive_warnings(excluded: Mapping[str, int]) -> tuple[str, ...]:
    """One sentence for each kind of member that a user would miss."""
    return tuple(
        counted(excluded[reason], *words)
        for reason, words in _SENTENCES.items()
        if excluded.get(reason, 0)
    )


def archive_gone(path: AnyPath) -> DfsynthError:
    """The whole archive cannot be opened: no reason to fail its images one by one."""
    return DfsynthError(
        f"cannot open the archive {path}: expected a file that this user may read; bring it back "
        "or check its permissions, and run the same command again"
    )


def archive_replaced(path: AnyPath) -> DfsynthError:
    """The archive was written anew: what the plan says of its places holds no more."""
    return DfsynthError(
        f"the archive {path.name} is not the one that was planned: found no file of the planned "
        "name and size at the planned place; bring the archive back as it was, or plan a new store "
        "with another --out or --overwrite"
    )
