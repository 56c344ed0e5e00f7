"""The page on the columns of manifests is what the schemas say."""

from pathlib import Path

import pytest
from columns_page import page

from dfsynth.manifest import IMAGES, pair_schema
from dfsynth.tasks import task_names

PAGE = Path(__file__).parents[2] / "docs" / "columns.md"


def test_the_committed_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make reference"


@pytest.mark.parametrize(
    "schema", [IMAGES, *map(pair_schema, task_names())], ids=lambda schema: schema.kind
)
def test_every_column_is_described_once(schema):
    assert len({column.name for column in schema.columns}) == len(schema.columns)
    for column in schema.columns:
        assert len(column.description.split()) > 1, column.name
        assert not column.description.endswith("."), column.name
        assert column.unit != "", column.name
