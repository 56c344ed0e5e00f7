"""Whether what a run would write has room."""

import shutil
from pathlib import Path

from dfsynth.files.faults import store_faults


def free_bytes(out: Path) -> int:
    """Bytes that this user may still write where `out` lies or would be made.

    Raises:
        StoreError: the disk cannot be asked.
    """
    there = next(folder for folder in (out, *out.resolve().parents) if folder.exists())
    with store_faults(f"look at the disk of {there}"):
        return shutil.disk_usage(there).free
