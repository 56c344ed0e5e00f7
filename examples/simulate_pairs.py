"""Makes simulated pairs and feeds them to a torch DataLoader, as one would to train a network.

python examples/simulate_pairs.py pairs.zarr
"""

import sys

from torch.utils.data import DataLoader

import dfsynth


def main() -> None:
    out = sys.argv[1] if len(sys.argv) > 1 else "pairs.zarr"
    dfsynth.simulate_pairs(out, 4, size=128, seed=1, severity=(0.0, 0.6))
    store = dfsynth.open_store(out)
    print(store.provenance["notice"])
    for pair in store.manifest.select(["image_id", "severity", "eps_bar_per_m"]).to_pylist():
        print(pair)
    data = store.dataset(maps=("attenuation", "dark_field", "lung_mask"))
    for batch in DataLoader(data, batch_size=2):
        radiograph, dark_field, lung = batch["maps"].unbind(dim=1)
        signal = dark_field[lung == 1].mean()
        print(tuple(radiograph.shape), f"mean dark-field in the lung {signal:.2f}")


if __name__ == "__main__":
    main()
