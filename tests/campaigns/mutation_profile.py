"""What ``make mutants`` loads into pytest: few examples, the same in every run, none made smaller, and no hurry."""

from __future__ import annotations

from hypothesis import Phase, settings

settings.register_profile(
    "mutation",
    max_examples=10,
    phases=(Phase.explicit, Phase.generate),
    derandomize=True,
    database=None,
    deadline=None,
)
settings.load_profile("mutation")
