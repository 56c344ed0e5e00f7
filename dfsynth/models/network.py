"""What all families of generator networks have in common, so that a checkpoint can keep them."""

from torch import nn

from dfsynth.checkpoint import NetworkConfig


class GeneratorNetwork(nn.Module):
    """A network with the configuration that it was built from.

    A family is a subclass that is built by `subclass(config)` and whose weights depend on the
    configuration alone.
    """

    config: NetworkConfig
