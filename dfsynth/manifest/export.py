"""Prints a manifest's schema, of images or of the pairs of a task.

python -m dfsynth.manifest.export > manifests/schema-v3.json
python -m dfsynth.manifest.export dark-field-radiography > manifests/schema-pairs-v1.json
python -m dfsynth.manifest.export dark-field-ct > manifests/schema-pairs-dark-field-ct-v1.json
"""

import sys

from dfsynth.manifest.pairs import pair_schema
from dfsynth.manifest.schema import IMAGES

if __name__ == "__main__":
    schema = pair_schema(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    # Bytes, so that the file does not depend on the terminal's encoding or line endings.
    sys.stdout.buffer.write(schema.to_json().encode())
