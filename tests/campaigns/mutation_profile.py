"""What ``make mutants`` loads into pytest: few examples, the same in every run, and no hurry on a busy machine."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("mutation", max_examples=10, derandomize=True, database=None, deadline=None)
settings.load_profile("mutation")
