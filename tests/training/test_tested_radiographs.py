"""What networks that are trained on synthetic radiographs come to on real ones, as a table."""

from tested_radiographs import REAL, tabulate


def row(patient: str, training: int, dice: float, source: str = "montgomery") -> dict[str, object]:
    return {"patient_id": patient, "training": training, "dice": dice, "source": source}


def test_trainings_are_seen_beside_the_mean_over_patients() -> None:
    results = {
        "restored": [row("a", 0, 0.8), row("b", 0, 0.9), row("a", 1, 0.6), row("b", 1, 0.7)],
        REAL: [row("a", 0, 0.9), row("b", 0, 1.0)],
        "sharp": [],
    }
    head, _, restored, real = tabulate(results, (REAL,), "dice").splitlines()
    assert head.split(" | ")[-1] == "each training |"
    cells = [cell.strip() for cell in restored.strip("|").split("|")]
    assert cells[0] == "restored"
    assert cells[1].startswith("0.750")
    assert cells[-2].startswith("-20.0")
    assert cells[-1] == "0.850, 0.650"
    assert real.strip("| ").endswith("0.950")


def test_trainings_count_lung_fields_alone() -> None:
    """Masks that go on behind the heart have a column of their own."""
    results = {REAL: [row("a", 0, 0.8), row("b", 0, 0.1, "hannover"), row("c", 1, 0.7)]}
    assert "0.800, 0.700" in tabulate(results, (), "dice")
