"""What a figure was measured on."""

import datetime
import platform
from pathlib import Path

import torch

import dfsynth
from dfsynth.threads.pool import available_cores


def describe_machine() -> dict[str, object]:
    """Date, processor, cores, GPU and versions."""
    processor = platform.processor() or "unknown"
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text().splitlines():
            if line.startswith("model name"):
                processor = line.partition(":")[2].strip()
                break
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": processor,
        "cores": available_cores(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "torch": torch.__version__,
        "dfsynth": dfsynth.__version__,
    }
