"""One module for each figure; `run` measures it."""
