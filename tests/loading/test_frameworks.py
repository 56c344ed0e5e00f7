"""Data sets of a store go into Lightning and MONAI as they are, with no code between."""

from pathlib import Path

import lightning.pytorch as lightning
import numpy as np
import pytest
import torch
from monai.data.dataloader import DataLoader as MonaiLoader
from monai.data.dataset import CacheDataset
from monai.data.dataset import Dataset as MonaiDataset
from monai.data.meta_tensor import MetaTensor
from monai.data.thread_buffer import ThreadDataLoader
from monai.transforms.compose import Compose
from monai.transforms.spatial.array import Resize
from monai.transforms.spatial.dictionary import RandFlipd, Resized
from monai.transforms.utility.dictionary import EnsureTyped
from radiograph_files import write_image
from torch.nn import functional
from torch.utils.data import DataLoader
from toy_generator import ToyMaker

from dfsynth.jobs.build import run_build
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.store.opened import Store, open_store


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """16 images of as many patients, with findings."""
    folder = tmp_path_factory.mktemp("frameworks")
    lines = ["path,patient_id,findings,split"]
    for number in range(16):
        write_image(folder / f"{number}.png", number)
        finding, split = ("Mass", "Edema")[number % 2], ("train", "val")[number // 12]
        lines.append(f"{number}.png,p{number},{finding},{split}")
    (folder / "images.csv").write_text("\n".join(lines))
    options = BuildOptions(source=str(folder / "images.csv"), out=folder / "x.zarr")
    run_build(options, ToyMaker(), Silent())
    return open_store(folder / "x.zarr")


def augmentation() -> Compose:
    """Dictionary transforms of MONAI, which end in a MetaTensor."""
    return Compose(
        [
            EnsureTyped(keys="maps", track_meta=True),
            RandFlipd(keys="maps", prob=1.0, spatial_axis=1),
            Resized(keys="maps", spatial_size=(8, 8)),
        ]
    )


class Classifier(lightning.LightningModule):
    """One linear layer, trained on findings of which some may be unknown."""

    def __init__(self, pos_weight: torch.Tensor) -> None:
        super().__init__()
        self.layer = torch.nn.LazyLinear(len(pos_weight))
        self.pos_weight: torch.Tensor
        self.register_buffer("pos_weight", pos_weight)

    def loss(self, batch):
        target, known = batch["target"].nan_to_num(), batch["target"].isfinite()
        logits = self.layer(batch["maps"].flatten(1))
        weight = known * batch["weight"][:, None]
        return functional.binary_cross_entropy_with_logits(
            logits, target, weight, pos_weight=self.pos_weight
        )

    def training_step(self, batch):
        loss = self.loss(batch)
        # Lightning takes the names in a batch for another size, and warns unless it is told.
        self.log("loss", loss, batch_size=len(batch["row"]))
        return loss

    def validation_step(self, batch):
        self.log("val_loss", self.loss(batch), batch_size=len(batch["row"]))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 1e-3)


# Of Lightning: a class of PyTorch that it still uses; small loaders; few cores.
@pytest.mark.filterwarnings("ignore:.*LeafSpec")
@pytest.mark.filterwarnings("ignore:.*does not have many workers")
@pytest.mark.filterwarnings("ignore:The number of training batches")
@pytest.mark.parametrize("transform", [None, augmentation()], ids=["plain", "monai"])
def test_lightning_trains_on_the_loaders_as_they_are(store, tmp_path: Path, transform):
    how = {"target": "findings", "weight_by": "uncertainty", "include_no_lung": True}
    train = store.dataset(split="train", transform=transform, **how)
    val = store.dataset(split="val", transform=transform, **how)
    trainer = lightning.Trainer(
        max_epochs=2,
        accelerator="cpu",
        default_root_dir=tmp_path,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    model = Classifier(train.labels().pos_weight)
    trainer.fit(model, DataLoader(train, batch_size=4), DataLoader(val, batch_size=4))
    assert trainer.global_step == 6
    assert np.isfinite(trainer.callback_metrics["val_loss"].item())


@pytest.mark.parametrize("loader", [DataLoader, MonaiLoader, ThreadDataLoader])
def test_transforms_of_monai_are_taken_and_their_tensors_stacked(store, loader):
    data = store.dataset(transform=augmentation(), include_no_lung=True)
    batch = next(iter(loader(data, batch_size=4)))
    assert isinstance(batch["maps"], MetaTensor)
    assert batch["maps"].shape == (4, 1, 8, 8)
    plain = store.dataset(include_no_lung=True)[0]["maps"].flip(2)
    expected = Resize((8, 8))(plain)
    np.testing.assert_allclose(batch["maps"][0].numpy(), expected.numpy(), rtol=1e-5)


@pytest.mark.parametrize("kind", [MonaiDataset, CacheDataset])
def test_data_sets_of_monai_take_those_of_a_store(store, kind):
    more = {} if kind is MonaiDataset else {"progress": False}
    data = kind(store.dataset(include_no_lung=True, target="findings"), augmentation(), **more)
    assert len(data) == 16
    assert data[3]["maps"].shape == (1, 8, 8)
    batch = next(iter(MonaiLoader(data, batch_size=8, num_workers=1)))
    assert batch["target"].shape == (8, 2)
    assert batch["image_id"][3] == "3.png"
