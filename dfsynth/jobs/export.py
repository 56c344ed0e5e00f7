"""`dfsynth export`: what a store holds, written as something else; nothing is generated anew.

What can be written is a line of `EXPORTERS`: an `Exporter`, by the word that `--to` takes.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from dfsynth.errors import UsageError
from dfsynth.exports import FOLDER_FORMATS
from dfsynth.jobs.exporter import Exporter, ExportReport
from dfsynth.jobs.folder_export import FolderExporter
from dfsynth.jobs.store_export import StoreExporter
from dfsynth.options import ExportOptions
from dfsynth.progress import Progress
from dfsynth.store import FORMATS

EXPORTERS: Final[Mapping[str, Exporter]] = {
    **{known.name: StoreExporter(known) for known in FORMATS},
    **{known.name: FolderExporter(known) for known in FOLDER_FORMATS},
}


def run_export(options: ExportOptions, progress: Progress) -> ExportReport:
    """Exports what the committed shards of a store hold, or goes on where an earlier run stopped.

    Raises:
        UsageError: nothing that can be written is called so, and see `Exporter`.
        ConflictError, StoreError: see `Exporter`.
    """
    if options.to not in EXPORTERS:
        near = get_close_matches(options.to.lower(), EXPORTERS, 1)
        nearest = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"--to {options.to}: {nearest}expected {', '.join(EXPORTERS)}")
    return EXPORTERS[options.to](options, progress)
