"""Data of a page as scripts: a page from a disk may load scripts, and fetch nothing.

Arrays travel as base64 of their little-endian bytes, and become typed arrays.
"""

import base64
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dfsynth.files.json_record import Json
from dfsynth.printable_text import printable

_RECEIVER = "dfsynthReport"


def array_script(name: str, values: NDArray[Any]) -> bytes:
    """A script that hands `values` (any shape) to the page under `name`."""
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    packed = base64.b64encode(np.ascontiguousarray(little).tobytes()).decode()
    arguments = ",".join(map(json.dumps, (name, values.dtype.name, packed)))
    return f"{_RECEIVER}.takeArray({arguments});\n".encode()


def facts_script(name: str, facts: Json) -> bytes:
    """A script that hands `facts` to the page under `name`.

    Raises:
        ValueError: a number is NaN or infinite.
    """
    text = json.dumps(shown(facts), allow_nan=False, separators=(",", ":"))
    return f"{_RECEIVER}.takeFacts({json.dumps(name)},{text});\n".encode()


def shown(facts: Json) -> Json:
    """The same facts, each text without characters that a terminal or a reader might act upon."""
    if isinstance(facts, str):
        return printable(facts)
    if isinstance(facts, dict):
        return {printable(key): shown(value) for key, value in facts.items()}
    if isinstance(facts, list | tuple):
        return [shown(value) for value in facts]
    return facts
