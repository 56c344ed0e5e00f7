"""No patient is in two groups, whatever the pairs come from."""

import csv
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from pair_files import write_pair_folders
from toy_simulator import ToyPairMaker

from dfsynth.datasets import indices_in, open_pairs
from dfsynth.jobs.simulate import run_simulation
from dfsynth.options import SimulateOptions
from dfsynth.progress import Silent
from dfsynth.records import Subject
from dfsynth.splits import SPLITS

PATIENTS = st.lists(st.integers(0, 12), min_size=2, max_size=24).filter(
    lambda found: len(set(found)) > 1
)
FEW = settings(max_examples=20, deadline=None)


@dataclass
class OfPatients(ToyPairMaker):
    """Pairs of given patients."""

    patients: tuple[int, ...] = ()

    def subject(self, row: int) -> Subject:
        return Subject(f"phantom:{self.patients[row]}", "phantom", None, "CC0-1.0")


def assert_disjoint(source) -> None:
    groups = defaultdict(set)
    for row in source.rows:
        groups[row.patient_id].add(row.split)
    assert all(len(splits) == 1 for splits in groups.values())
    indices = [n for split in SPLITS for n in indices_in(source, split)]
    assert sorted(indices) == list(range(len(source.rows)))


def assert_training_possible(source) -> None:
    assert indices_in(source, "train")
    assert indices_in(source, "val")


@FEW
@given(PATIENTS)
def test_of_a_store(patients):
    with tempfile.TemporaryDirectory() as folder:
        options = SimulateOptions(out=Path(folder) / "x.zarr", n=len(patients), size=64)
        maker = OfPatients(options, fail_every=None, patients=tuple(patients))
        run_simulation(options, maker, Silent())
        source = open_pairs(options.out, None, 16, (0.0, 1.0))
        assert [row.patient_id for row in source.rows] == [f"phantom:{p}" for p in patients]
        assert_disjoint(source)
        assert_training_possible(source)


@FEW
@given(PATIENTS, st.booleans())
def test_of_a_table(patients, some_have_splits):
    with tempfile.TemporaryDirectory() as folder:
        write_pair_folders(Path(folder), len(patients))
        table = Path(folder) / "pairs.csv"
        with table.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["attenuation", "dark_field", "patient_id", "split"])
            for n, patient in enumerate(patients):
                split = SPLITS[patient % 4] if some_have_splits and patient % 3 == 0 else ""
                files = (f"attenuation/case{n:03d}.png", f"dark/case{n:03d}.tif")
                writer.writerow([*files, f"patient {patient}", split])
        source = open_pairs(table, None, 16, (0.0, 1.0))
        assert [row.patient_id for row in source.rows] == [f"patient {p}" for p in patients]
        assert_disjoint(source)
        if not some_have_splits:
            assert_training_possible(source)


@FEW
@given(st.integers(2, 24), st.integers(0, 900))
def test_of_folders(pairs, first):
    with tempfile.TemporaryDirectory() as folder:
        source = open_pairs(*write_pair_folders(Path(folder), pairs, first), 16, (0.0, 1.0))
        assert len({row.patient_id for row in source.rows}) == pairs
        assert_disjoint(source)
        assert_training_possible(source)
