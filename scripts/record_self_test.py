"""Writes down what the self-test of `dfsynth doctor` expects, after a change of the generator.

python scripts/record_self_test.py
"""

import json

from dfsynth.doctor.self_test import expected_maps, generate_maps


def main() -> None:
    found = generate_maps("cpu", "fp32")
    text = json.dumps(found, separators=(", ", ": ")).replace('], "', '],\n"')
    expected_maps().write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
