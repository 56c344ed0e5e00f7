"""A corpus file to begin with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dfsynth.errors import UsageError

TEMPLATE: Final = """\
# A corpus for dfsynth. docs/corpora.md describes every key; what is commented out is optional.
# Then: dfsynth sources check THIS_FILE --root FOLDER

name = "mine"                               # what stores call it
title = "What it is, in one line"
licence = "unknown"
# citation = "How its makers want to be cited"
# homepage = "https://example.org/mine"
# obtain = "How to get it."
# layout = "Where what lies, for people."
# quirks = ["What users should know, a sentence each."]
# paediatric = true                         # the images are of children
# root_names = ["mine-v1", "mine-v1/data"]  # then --root may be the folder that holds it

# [size]
# images = 1000
# patients = 500
# gigabytes = 1.5

# Which files are images: {name} names a part of the path, * is any part, ** any folders.
[images]
files = ["**/*.png", "**/*.jpg", "**/*.dcm"]
id = "{path|no_suffix}"                     # unique; also {file_name}, {stem}, {folder}
# archives = ["*.zip"]                      # read without unpacking
# several_files = "first_pattern"           # of DICOM and PNG of one image; else refused

# What the path says, or what is the same for all images.
# [images.facts]
# patient_id = "{patient}"                  # with files = ["{patient}/*.png"]
# view = "PA"
# pixel_mm = "0.143"

# Files of bare pixels without a header.
# [images.raw]
# width = 2048
# height = 2048
# bits = 12
# byte_order = "big"
# photometric = "MONOCHROME1"               # high values are dark

# A table: one row an image, or a row of a study that has several. More tables: more [[table]].
# [[table]]
# files = ["labels.csv", "labels.csv.gz"]   # the first that is there
# need = "required"                         # or "expected" (the default), or "optional"
# key = "{subject}/{study}"                 # of a row: its columns
# image = "{patient}/{study}"               # of an image: equal to the key; {id} by default
# several_rows = "merge"                    # or "majority"; without it they are refused

# [table.columns]                           # what it is = "header", or ["first choice", "second"]
# patient_id = "PatientID"
# view = "ViewPosition"
# sex = "Sex"
# age = "Age"
# split = "Split"
# findings = "Labels"                       # "Edema|Mass"; see findings_separators, findings_form
# width_px = "Columns"
# height_px = "Rows"
# pitch_x_mm = "PitchX"
# pitch_y_mm = "PitchY"

# [table.labels]                            # a column for each finding: 1, 0, -1 or blank
# columns = ["Edema", "Effusion"]
# positive = ["1"]
# negative = ["0"]
# uncertain = ["-1"]

# [[table.exclude]]                         # images that do not belong
# column = "modality"
# values = ["CT"]
# reason = "ct"

# [words.view]                              # the corpus's word = ours: PA, AP, FRONTAL, LATERAL
# L = "LATERAL"
# [words.sex]
# female = "F"
# unknown = ""                              # says nothing

# [view]
# keep_unknown = false                      # leave images without a view out

# [[split]]                                 # a text file with an image id a line
# file = "test_list.txt"
# split = "test"

# [[sidecar]]                               # a short text file for each image
# file = "readings/{stem}.txt"
# [sidecar.facts]
# age = 'Age:\\s*(\\d+Y)'

# [[exclude]]                               # images known to be broken
# reason = "broken_file"
# ids = ["a/1"]
"""


@dataclass(frozen=True, slots=True)
class CorpusTemplate:
    """A template that was written."""

    path: Path


def write_template(path: Path) -> None:
    """Writes a commented corpus file, which describes a folder of images as it is.

    Raises:
        UsageError: it would replace something, is no .toml, or cannot be written.
    """
    if path.suffix.lower() != ".toml":
        raise UsageError(f"{path} is no name of a corpus file; expected one that ends in .toml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except FileExistsError:
        raise UsageError(f"{path} is there already; choose another name") from None
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}; choose another place") from None
