"""What not every platform can do, for tests that run on all platforms that can."""

from tools.faults.targets import TARGETS

WRITING_FIRST = sorted({target.name for target in TARGETS if "notify" in target.commands})
"""The platforms on which a bot can write first, and to others than the person who writes. Some bots only answer."""
APART = sorted({target.name for target in TARGETS if not target.polls})
"""The platforms on which each reply is a message of its own. One that polls gets one text for all replies."""
