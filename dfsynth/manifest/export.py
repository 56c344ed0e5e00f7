"""Prints the manifest's schema: `python -m dfsynth.manifest.export > manifests/schema-v1.json`."""

import sys

from dfsynth.manifest.schema import schema_json

if __name__ == "__main__":
    # Bytes, so that the file does not depend on the terminal's encoding or line endings.
    sys.stdout.buffer.write(schema_json().encode())
