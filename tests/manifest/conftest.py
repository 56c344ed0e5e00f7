"""Manifests on disk, made of records through the real encoder."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from dfsynth.manifest import encode_part
from dfsynth.records import ManifestRow
from dfsynth.score import NO_SCORES

WriteManifest = Callable[..., Path]


@pytest.fixture
def write_manifest(tmp_path: Path) -> WriteManifest:
    """Writes rows as parts of `shard_size` rows; returns the folder of parts."""

    def write(rows: Sequence[ManifestRow], shard_size: int = 4) -> Path:
        folder = tmp_path / "store.zarr" / "manifest"
        folder.mkdir(parents=True)
        for shard, start in enumerate(range(0, len(rows), shard_size)):
            part = encode_part(rows[start : start + shard_size])
            (folder / f"part-{shard:07d}.parquet").write_bytes(part)
        return folder

    return write


@pytest.fixture
def ok_row() -> Callable[..., ManifestRow]:
    """A finished row; keywords replace its values, scores among them."""

    def make(row: int, **values: Any) -> ManifestRow:
        scores = {"uncertainty": 0.01 * (row + 1), "lung_fraction": 0.4}
        scores |= {name: values.pop(name) for name in NO_SCORES.keys() & values.keys()}
        known: dict[str, Any] = {
            "image_id": f"images/{row:04d}.png",
            "row": row,
            "shard": row // 4,
            "status": "ok",
            "source": "nih-chestxray14",
            "uri": f"images/{row:04d}.png",
            "patient_id": f"patient-{row // 2}",
            "view": "PA" if row % 2 else "AP",
            "age": 30.0 + row,
            "findings": ("Effusion", "Mass") if row % 3 == 0 else ("No Finding",),
            "width": 1024,
            "height": 1000,
            "bits": 8,
            "scores": {**NO_SCORES, **scores},
            "checksum": f"{row:032x}",
            "seconds": 0.5,
        }
        return ManifestRow(**(known | values))

    return make


@pytest.fixture
def failed_row() -> Callable[[int], ManifestRow]:
    """A row whose image could not be read."""

    def make(row: int) -> ManifestRow:
        return ManifestRow(
            image_id=f"images/{row:04d}.png",
            row=row,
            shard=row // 4,
            status="failed",
            source="nih-chestxray14",
            uri=f"images/{row:04d}.png",
            scores=NO_SCORES,
            error_code="truncated",
            error="the file ends before its image does",
            findings=("Mass",),
        )

    return make
