"""Tests. A package, so that pytest names their modules as imports do."""
