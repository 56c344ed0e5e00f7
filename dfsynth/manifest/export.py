"""Prints a manifest's schema, of images or of pairs.

python -m dfsynth.manifest.export > manifests/schema-v3.json
python -m dfsynth.manifest.export pairs > manifests/schema-pairs-v1.json
"""

import sys

from dfsynth.manifest.pairs import PAIRS
from dfsynth.manifest.schema import IMAGES

if __name__ == "__main__":
    schema = {"pairs": PAIRS, "images": IMAGES}[sys.argv[1] if len(sys.argv) > 1 else "images"]
    # Bytes, so that the file does not depend on the terminal's encoding or line endings.
    sys.stdout.buffer.write(schema.to_json().encode())
