"""The limits on docs/security.md are those of the code, and the files that it names exist."""

import re
from pathlib import Path

from dfsynth.decode import DecodeLimits, codestream, jpeg2000, limits
from dfsynth.manifest import predicate

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_limits_are_those_of_the_code():
    for limit in (
        f"{DecodeLimits().max_pixels:,} pixels",
        f"{DecodeLimits().max_bytes // 1024**2} MiB a file",
        f"{limits.WORKING_BYTES_PER_PIXEL} bytes of memory",
        f"{codestream._MAX_SCANS}\n  scans",
        f"{jpeg2000._MAX_TILES:,} tiles",
        f"{predicate._CONFIG['memory_limit']}".replace("GB", " GB"),
    ):
        assert limit in PAGE


def test_named_files_exist():
    names = re.findall(r"`((?:tests|scripts)/[^`]+|[A-Za-z]+\.(?:cff|lock))`", PAGE)
    assert len(names) >= 5
    assert all((ROOT / name.split()[0]).exists() for name in names)
