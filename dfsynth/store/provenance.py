"""What the records of all stores say alike: versions, and how one differs from what is wanted."""

import json
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Final

from dfsynth.version import __version__

SCHEMA_VERSION: Final = 1
COMPRESSION: Final = "blosc-zstd1-bitshuffle, crc32c"


def software_versions(libraries: Sequence[str]) -> dict[str, str]:
    """Of dfsynth, Python and the libraries that decide values; a missing one is left out."""
    versions = {"dfsynth": __version__, "python": platform.python_version()}
    for name in libraries:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def name_differences(held: Mapping[str, object], asked: Mapping[str, object]) -> list[str]:
    """One sentence part for each entry that differs; one that a side lacks is null there."""
    return [
        f"{name}: the store has {_brief(held.get(name))}, asked for {_brief(asked.get(name))}"
        for name in dict.fromkeys([*held, *asked])
        if held.get(name) != asked.get(name)
    ]


def _brief(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:16] + "…" + text[-4:]
