"""Numbers of Discord's API that several modules use."""

PING, COMMAND, COMPONENT, COMPLETION, FORM = 1, 2, 3, 4, 5
"""Interaction types: a check of the address, a command, a press of a button or a choice in a select, a command that is
being typed, a submitted form. Discord docs: Receiving and Responding › Interaction Type."""
SUB_COMMAND, GROUP = 1, 2
"""Option types that contain further options. Discord docs: Application Commands › Option Type."""
THREADS = (10, 11, 12)
"""Channel types of threads. Discord docs: Channel › Channel Types."""
DIRECT = 1
"""Channel type of a direct chat."""
EPHEMERAL = 64
"""Flag of a message that only one person sees. Discord docs: Message › Message Flags."""
