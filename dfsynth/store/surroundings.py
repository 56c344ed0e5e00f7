"""Whether a path lies in a store, where nothing but the store's own files may be written."""

from pathlib import Path

from dfsynth.errors import UsageError
from dfsynth.store.layout import StoreLayout


def require_outside_stores(path: Path, what: str) -> None:
    """Requires that a file for `what`, at `path`, would not lie within a store.

    Among the parts of a manifest it would be read as one of them; elsewhere it could replace the
    plan or an array.

    Raises:
        UsageError: a folder above it holds a store.
    """
    # The folder is resolved and not the file: a link is replaced, and not followed.
    for folder in (path.parent.resolve() / path.name).parents:
        layout = StoreLayout(folder)
        if layout.build.exists() or layout.removing.exists():
            raise UsageError(
                f"cannot write {what} to {path}: it lies in the store {folder}, which holds its "
                "own files only; name a file beside the store"
            )
