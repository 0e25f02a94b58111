"""NewChat's limits for content."""

# Next: Enter the limits from NewChat's documentation.

from parley.adapter import ContentLimits, Maximum

LIMITS = ContentLimits(
    name="NewChat",
    text=Maximum(2000, "characters", "continued"),
    markdown=Maximum(2000, "characters", "continued"),
)
