"""Finds the data files that travel with the package: corpora, recipes, checkpoints, samples."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_SOURCE_TREE_FOLDERS = {
    "corpora": "manifests/corpora",
    "recipes": "training/recipes",
    "tasks": "manifests/tasks",
}


def data_folder(name: str) -> Path:
    """The folder of packaged data called `name`, in a wheel or in a source checkout.

    Raises:
        FileNotFoundError: the installation lacks it.
    """
    packaged = _PACKAGE / "data" / name
    if packaged.is_dir():
        return packaged
    if name in _SOURCE_TREE_FOLDERS:
        checkout = _PACKAGE.parent / _SOURCE_TREE_FOLDERS[name]
        if checkout.is_dir():
            return checkout
    raise FileNotFoundError(f"the installation has no data folder {name!r}; reinstall dfsynth")
