"""Settings of the property tests: reproducible, and without a deadline, because the machine may be busy."""

from hypothesis import settings

settings.register_profile("unit", deadline=None, derandomize=True, database=None, max_examples=150)
settings.load_profile("unit")
