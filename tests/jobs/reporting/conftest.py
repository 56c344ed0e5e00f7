"""What the tests of reports share: a browser, and stores made once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser_pages import Page, pages
from report_stores import build_report_store

import dfsynth


@pytest.fixture(scope="session")
def page() -> Iterator[Page]:
    yield from pages()


@pytest.fixture(scope="session")
def make_store(tmp_path_factory) -> Callable[..., Path]:
    """Builds a store by the toy generator in a folder of its own."""
    return lambda *given, **options: build_report_store(
        tmp_path_factory.mktemp("private-folder"), *given, **options
    )


@pytest.fixture(scope="session")
def store(make_store) -> Path:
    return make_store(maps=("attenuation", "dark_field", "aleatoric", "epistemic"))


@pytest.fixture(scope="session")
def report(store, tmp_path_factory) -> Path:
    """The report of `store`."""
    out = tmp_path_factory.mktemp("report") / "report"
    dfsynth.write_report(store, out=out)
    return out
