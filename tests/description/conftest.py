"""Stores of a corpus in miniature, one in each format."""

from pathlib import Path

import pytest
from odd_corpus import build_corpus, write_corpus


@pytest.fixture(scope="session")
def corpus(tmp_path_factory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("private-place") / "nih")


@pytest.fixture(scope="session", params=["x.zarr", "x.h5"])
def store(request, corpus, tmp_path_factory) -> Path:
    """Five images in three shards, in each format."""
    return build_corpus(corpus, tmp_path_factory.mktemp("stores") / request.param)
