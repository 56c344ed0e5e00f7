"""Numbers of a corpus file that are none, or that no number type holds."""

import pytest

from dfsynth.errors import UsageError
from dfsynth.resources import data_folder
from dfsynth.source import open_source


@pytest.mark.parametrize("odd", ["nan", "inf", "-1", "0", "1e300", "9223372036854775807", "true"])
@pytest.mark.parametrize("key", ["images", "patients", "gigabytes"])
def test_an_odd_number_is_named(tmp_path, key, odd):
    text = (data_folder("corpora") / "nih.toml").read_text(encoding="utf-8")
    lines = [f"{key} = {odd}" if line.startswith(f"{key} =") else line for line in text.split("\n")]
    path = tmp_path / "x.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != text
    with pytest.raises(UsageError, match=rf"{key}: found .*; expected a positive number"):
        open_source(str(path), tmp_path).listing()
