"""Sphinx: how the pages of this folder become a site; `make docs` builds it into `site/`."""

from typing import Any

from sphinx.application import Sphinx

import dfsynth

project = "dfsynth"
author = "dfsynth maintainers"
project_copyright = f"{author}, Apache-2.0. Synthetic images, for research only, not for diagnosis"
version = release = dfsynth.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = f"dfsynth {release}"
# Links to headings, such as contracts.md#manifest.
myst_heading_anchors = 3
# What docstrings put between single backticks is code.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
maximum_signature_line_length = 88
python_use_unqualified_type_names = True

# The public names are imported when they are first asked for; autodoc sees those that are there.
for _name in dfsynth.__all__:
    setattr(dfsynth, _name, getattr(dfsynth, _name))


def _keep_colons(
    _app: Sphinx, what: str, _name: str, _thing: Any, _: Any, lines: list[str]
) -> None:
    """Keeps the first line of an attribute's docstring whole: napoleon takes `x: y` for a type."""
    if what in {"attribute", "data", "property"}:
        lines.insert(0, "")


def setup(app: Sphinx) -> None:
    # Before napoleon, whose priority is 500.
    app.connect("autodoc-process-docstring", _keep_colons, priority=400)
