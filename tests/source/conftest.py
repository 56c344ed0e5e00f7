import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from dfsynth.records import SourceItem
from dfsynth.source import Listing
from dfsynth.store.plan import source_item

NIH = Path(__file__).parents[1] / "data" / "nih"


@pytest.fixture
def nih_root(tmp_path: Path) -> Path:
    """Six real radiographs in the official layout, with table and lists."""
    root = tmp_path / "nih"
    images = sorted(NIH.glob("*.png"))
    for number, image in enumerate(images):
        folder = root / f"images_{1 + number // 3:03d}" / "images"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(image, folder)
    shutil.copy(NIH / "Data_Entry_2017_v2020.csv", root)
    names = [image.name for image in images]
    (root / "train_val_list.txt").write_text("\n".join(names[:4]) + "\n")
    (root / "test_list.txt").write_text("\r\n".join(names[4:]) + "\r\n")
    return root


@pytest.fixture
def real_png() -> bytes:
    return (NIH / "00000218_001.png").read_bytes()


@pytest.fixture
def make_tree(tmp_path: Path) -> Callable[[Mapping[str, bytes]], Path]:
    """Writes files by relative path below a new folder."""

    def write(files: Mapping[str, bytes]) -> Path:
        root = tmp_path / "tree"
        root.mkdir(exist_ok=True)
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return root

    return write


@pytest.fixture
def ids_of() -> Callable[[Listing], list[str]]:
    return lambda listing: [line["image_id"] for line in listing.table.to_pylist()]


@pytest.fixture
def items_of() -> Callable[[Listing], Iterable[SourceItem]]:
    """The rows of a listing as a build hands them to `read`."""

    def items(listing: Listing) -> Iterable[SourceItem]:
        for row, values in enumerate(listing.table.to_pylist()):
            yield source_item({"row": row, "shard": 0, **values})

    return items
