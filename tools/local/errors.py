"""The error of the local stack."""


class StackError(Exception):
    """The stack cannot be started or stopped. The text is for the developer: the cause, and what to do."""
