"""The local stack: the real template, deployed with the real SAM CLI to an AWS emulator, and the playground.

    up(Options(...)) -> Stack      starts a stack, or returns the running one
    down(directory)                stops it and leaves no process running

A directory holds one stack. It is `.local`, or the value of the environment variable PARLEY_LOCAL_DIR.
"""

from tools.local.errors import StackError
from tools.local.stack import Options, Stack, down, running, up

__all__ = ["Options", "Stack", "StackError", "down", "running", "up"]
