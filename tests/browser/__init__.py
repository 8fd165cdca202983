"""Chromium against real servers. A package, so that pytest ends them after its last test."""
