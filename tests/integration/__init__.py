"""Several processes, and what happens to them. A package, so that pytest ends them after its last test."""
