"""Real servers, as clients see them. A package, so that pytest ends them after its last test."""
