"""WebDataset: tar files with a JSON and a `.npy` of each map for every image.

Values are float32 (whole numbers uint8) in `.npy`, and not 16-bit PNG: the decoders of the library
`webdataset` turn those white. A key ends at the first dot of a name, so that keys have none; the id
of the image, whatever it holds, is in the JSON.
"""

import io
import json
import math
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from dfsynth.exports.export import SOFTWARE, Export, ExportImage
from dfsynth.exports.folder_format import FilesOfMany, Portion

_MARK: Final = "DFSYNTH.mark"
"""Of the header that holds `Portion.mark`, with a vendor's name before a dot, as POSIX has it."""
_MOST_BYTES: Final = 128 * 2**20


def write_tar(
    export: Export, portion: Portion, images: Iterator[ExportImage], stream: BinaryIO
) -> None:
    """Writes one tar file (POSIX.1-2001, pax); equal images give equal bytes.

    Raises:
        OSError: the system refuses.
    """
    headers = {"comment": export.notice, _MARK: portion.mark}
    with tarfile.open(
        fileobj=stream, mode="w", format=tarfile.PAX_FORMAT, pax_headers=headers
    ) as tar:
        for image in images:
            _add(tar, f"{image.stem}.json", _document(export, image))
            for facts in export.maps:
                content = io.BytesIO()
                np.save(content, image.maps[facts.name])
                _add(tar, f"{image.stem}.{facts.name}.npy", content.getvalue())


def read_mark(path: Path) -> str | None:
    """The `Portion.mark` of a tar file; None where it cannot be read or has none."""
    try:
        with tarfile.open(path) as tar:
            return tar.pax_headers.get(_MARK)
    except tarfile.TarError:
        return None


def _document(export: Export, image: ExportImage) -> bytes:
    """The row of the manifest, and what the maps are."""
    facts = {name: _plain(value) for name, value in image.facts.items()}
    maps = {each.name: {"long_name": each.long_name, "unit": each.unit} for each in export.maps}
    said = {
        "synthetic": True,
        "notice": export.notice,
        "space": export.space,
        "store": export.store_hash,
        "software": SOFTWARE,
        "maps": maps,
    }
    return json.dumps({**facts, **said}, allow_nan=False).encode()


def _plain(value: Any) -> Any:
    """A value of the manifest as JSON knows it, which has no NaN."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    # Without times, owners and modes of this machine.
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


WEBDATASET: Final = FilesOfMany(
    name="webdataset",
    suffix=".tar",
    write_images=write_tar,
    read_mark=read_mark,
    most_bytes=_MOST_BYTES,
)
"""128 MiB a file: enough to be read in one sweep, and many enough to be shuffled and shared out."""
