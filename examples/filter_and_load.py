"""Keeps the half of the images with the least expected error and feeds it to a torch DataLoader.

python examples/filter_and_load.py STORE
"""

import sys

from torch.utils.data import DataLoader

import dfsynth


def main() -> None:
    store = dfsynth.open_store(sys.argv[1])
    print(store.provenance["notice"])
    data = store.dataset(where="view = 'PA'", keep=0.5, maps=("dark_field", "aleatoric"))
    print(f"{len(data)} of {store.manifest.num_rows} images kept")
    for batch in DataLoader(data, batch_size=2):
        print(tuple(batch["maps"].shape), batch["image_id"])
    print("labels of the same samples:", data.table["findings"].to_pylist())


if __name__ == "__main__":
    main()
