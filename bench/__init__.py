"""Measurements: each figure is a ratio between Foyer and its peers in the same run.

``python -m bench`` runs them all, ``python -m bench fanout`` one. Method, commands and results are in
``docs/benchmarks.md``.
"""
