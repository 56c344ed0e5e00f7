"""What is said of a store that holds no finished image: it is not begun, or all of it failed."""

from dfsynth.counted_nouns import counted


def nothing_finished(store: object, planned: int, failed: int) -> str:
    """A sentence on a store without one finished image, and what to do.

    Args:
        store: As the user named it.
        planned: Images that it will hold.
        failed: Rows of committed shards, all of which failed.
    """
    if failed < planned:
        return f"{store} holds no finished image yet; let the build commit a shard"
    which = "the one image" if failed == 1 else f"all {counted(failed, 'image')}"
    return f"{store} holds no finished image: {which} failed; why: dfsynth info {store}"
