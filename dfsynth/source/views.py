"""Which images of a corpus are frontal."""

import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.source import exclusion
from dfsynth.source.corpus import Corpus, Views
from dfsynth.source.schema import Column
from dfsynth.source.template import Template


def tells_views(corpus: Corpus) -> bool:
    """Whether anything of a corpus says the views of its images."""
    return "view" in corpus.images.facts or any("view" in t.columns for t in corpus.tables)


def view_reasons(views: Column, rule: Views) -> Column:
    """Why images of these views are not taken for frontal; null for those that are."""
    frontal = pc.is_in(pc.utf8_upper(views), value_set=pa.array([v.upper() for v in rule.frontal]))
    named = Template.parse(f"{exclusion.NOT_FRONTAL}:{{view}}").fill({"view": views}, len(views))
    unknown = pa.scalar(None if rule.keep_unknown else exclusion.VIEW_UNKNOWN, pa.string())
    reasons = pc.if_else(pc.is_valid(views), named, unknown)
    return pc.if_else(frontal, pa.scalar(None, pa.string()), reasons)
