"""The predicates that documents and help give as examples keep a sensible share of real images."""

import re
from pathlib import Path

import pytest

import dfsynth
from dfsynth.cli import filter_command
from dfsynth.manifest import select
from dfsynth.manifest.predicate import EXAMPLE
from dfsynth.resources import data_folder
from dfsynth.store import StoreLayout

ROOT = Path(__file__).parents[1]
_WRITTEN = re.compile(r"""(?:--where|where=) ?"([^"]*)\"""")


def _examples() -> list[str]:
    texts = [
        *(path.read_text() for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))),
        filter_command.EXAMPLE,
        dfsynth.__doc__ or "",
    ]
    found = [predicate for text in texts for predicate in _WRITTEN.findall(text)]
    # Of findings the samples have few, and no negative ones; of splits none.
    scored = [predicate for predicate in found if not re.search("findings|split", predicate)]
    return sorted({*scored, EXAMPLE.removeprefix("for example: ")})


@pytest.fixture(scope="module")
def demo_manifest(tmp_path_factory) -> Path:
    """That of the packaged sample radiographs, eight of two collections."""
    out = tmp_path_factory.mktemp("demo") / "demo.zarr"
    dfsynth.build(data_folder("samples") / "samples.csv", out, mc="fast", precision="fp32")
    return StoreLayout(out).manifest


@pytest.mark.slow
def test_examples_keep_a_sensible_share(demo_manifest: Path) -> None:
    examples = _examples()
    assert len(examples) >= 4, examples
    for predicate in examples:
        found = select(demo_manifest, predicate, None, None)
        kept = f"{predicate}: {found.kept} of {found.total}"
        assert found.kept >= found.total / 4, kept
        # Where it has no threshold, all may pass.
        assert found.kept < found.total or not re.search("[<>]", predicate), kept
