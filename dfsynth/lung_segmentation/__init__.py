"""Where lungs are on a radiograph: the network, its training, its weights, and clean regions."""
