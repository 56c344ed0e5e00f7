"""Dark-field CT of one slice with known truth: a vibrating interferometer and its streaks.

`scan` takes a slice's maps of attenuation and dark-field through acquisition (`acquisition.py`,
`vibration.py`), phase retrieval (`retrieval.py`, `phase_stepping.py`) and filtered back-projection
(`reconstruction.py`). The scanner is that of Frey et al., structured loss amplification for
dark-field CT; what they do not give is marked [assumed].
"""

from dfsynth.simulation.dark_field_ct.scan import ScannedSlice, scan
from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings, VibrationMode
from dfsynth.simulation.dark_field_ct.slice_object import SliceObject

__all__ = ["ScanSettings", "ScannedSlice", "SliceObject", "VibrationMode", "scan"]
