"""Sphinx: how the pages of this folder become a site; `make docs` builds it into `site/`."""

import hashlib
import os
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Any

import nbclient
from jupyter_cache.executors import utils as _executors
from sphinx.application import Sphinx

import dfsynth
from dfsynth.resources import data_folder

project = "dfsynth"
author = "dfsynth maintainers"
project_copyright = f"{author}, Apache-2.0. Synthetic images, for research only, not for diagnosis"
version = release = dfsynth.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = f"dfsynth {release}"
html_static_path = ["static"]
html_css_files = ["outputs.css"]
# Links to headings, such as contracts.md#manifest.
myst_heading_anchors = 3
# What docstrings put between single backticks is code.
default_role = "code"
# Quotes and ellipses become typographic; the dashes of options stay what is typed.
smartquotes_action = "qe"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
maximum_signature_line_length = 88
python_use_unqualified_type_names = True


def _package_digest() -> str:
    """What all code and data of the package add up to; some data lie elsewhere in a checkout."""
    digest = hashlib.sha256()
    data = (data_folder(name) for name in ("corpora", "recipes", "tasks"))
    for folder in (Path(dfsynth.__file__).parent, *data):
        for file in sorted(folder.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(folder)}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


# Pages with code cells are notebooks: they run, each in a folder of its own, and one that fails
# fails the documentation. They are run anew when they, or anything in the package, have changed;
# what an earlier package gave is removed.
nb_execution_mode = "cache"
_outputs = Path(__file__).parents[1] / "site" / ".notebooks" / _package_digest()
nb_execution_cache_path = str(_outputs)
for _old in set(_outputs.parent.glob("*")) - {_outputs}:
    shutil.rmtree(_old)
nb_execution_in_temp = True
nb_execution_raise_on_error = True
# Only ends a hang.
nb_execution_timeout = 1200
nb_execution_show_tb = True
# A command prints in pieces. They are joined as they come, where `nb_merge_streams` would break
# lines between them. Kernels are not to warn that they listen unencrypted: they listen to this
# machine alone.
_executors.executenb = partial(
    nbclient.execute, coalesce_streams=True, extra_arguments=["--log-level=ERROR"]
)
# Cells of commands find the `dfsynth` of this environment, and write plain text, as wide as a
# page.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
os.environ["COLUMNS"] = "100"
os.environ["NO_COLOR"] = "1"

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
