"""Licenses that have a name which programs know."""

from collections.abc import Sequence
from typing import Final

_UNKNOWN: Final = "unknown"
"""As sources say it that state no license, and as hubs have it."""
_SPDX: Final = {
    "apache-2.0": "Apache-2.0",
    "cc by 3.0": "CC-BY-3.0",
    "cc by 4.0": "CC-BY-4.0",
    "cc by-nc 4.0": "CC-BY-NC-4.0",
    "cc by-nc-sa 4.0": "CC-BY-NC-SA-4.0",
    "cc by-sa 4.0": "CC-BY-SA-4.0",
    "cc0": "CC0-1.0",
    "cc0 1.0": "CC0-1.0",
    "mit": "MIT",
    "pddl 1.0": "PDDL-1.0",
}
"""A license as sources state it, in lower case → its identifier at spdx.org."""


def spdx_identifier(text: str) -> str | None:
    """The SPDX identifier of a license; None for terms that have none."""
    wanted = text.strip().lower()
    return _SPDX.get(wanted) or _SPDX.get(wanted.replace("-", " ")) or _identifier(wanted)


def _identifier(wanted: str) -> str | None:
    return next((name for name in _SPDX.values() if name.lower() == wanted), None)


def hub_license(texts: Sequence[str]) -> str:
    """What the front matter of a dataset card calls a license that all have; `other`, `unknown`."""
    if set(texts) == {_UNKNOWN}:
        return _UNKNOWN
    found = {spdx_identifier(text) for text in texts}
    known = found.pop() if len(found) == 1 else None
    return "other" if known is None else known.lower()


def license_reference(text: str) -> str:
    """The address of a license that has one, else its text."""
    known = spdx_identifier(text)
    return text if known is None else f"https://spdx.org/licenses/{known}.html"
