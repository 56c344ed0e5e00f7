"""dfsynth: synthetic X-ray dark-field radiographs from ordinary chest X-rays.

    import dfsynth
    dfsynth.build(source="folder-of-radiographs", out="x.zarr")
    store = dfsynth.open_store("x.zarr")
    data = store.dataset(where="predicted_error < 0.4", split="train", target="findings")
    dfsynth.generate("radiograph.png")

Synthetic images, for research only, not for diagnosis.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from dfsynth.version import __version__

if TYPE_CHECKING:
    from dfsynth.api import (
        build,
        draw_contact_sheet,
        evaluate_checkpoint,
        export,
        filter_store,
        generate,
        join_members,
        load_generator,
        simulate_pairs,
        train_generator,
        write_report,
    )
    from dfsynth.store.opened import Store, open_store

__all__ = [
    "Store",
    "__version__",
    "build",
    "draw_contact_sheet",
    "evaluate_checkpoint",
    "export",
    "filter_store",
    "generate",
    "join_members",
    "load_generator",
    "open_store",
    "simulate_pairs",
    "train_generator",
    "write_report",
]

# Imported when first asked for: torch and Arrow take seconds, `dfsynth --help` must not.
_LAZY: Final = {
    "Store": "dfsynth.store.opened",
    "build": "dfsynth.api",
    "draw_contact_sheet": "dfsynth.api",
    "evaluate_checkpoint": "dfsynth.api",
    "export": "dfsynth.api",
    "filter_store": "dfsynth.api",
    "generate": "dfsynth.api",
    "join_members": "dfsynth.api",
    "load_generator": "dfsynth.api",
    "open_store": "dfsynth.store.opened",
    "simulate_pairs": "dfsynth.api",
    "train_generator": "dfsynth.api",
    "write_report": "dfsynth.api",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'dfsynth' has no attribute {name!r}")
