"""A posed body in a cone beam → line integrals."""
