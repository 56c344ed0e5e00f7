"""What pairs are made of: phantoms, CT volumes, radiographs."""
