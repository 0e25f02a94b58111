"""What goes wrong, in one sentence for the person at the keyboard."""


class Trouble(Exception):
    """The stack cannot be started; the text says why and what to do."""
