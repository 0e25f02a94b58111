"""Property tests: reproducible, and not judged by the clock of a busy machine."""

from hypothesis import settings

settings.register_profile("unit", deadline=None, derandomize=True, database=None, max_examples=150)
settings.load_profile("unit")
