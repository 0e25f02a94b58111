"""The local stack: the real template, deployed with the real SAM CLI to an AWS emulator, and the playground before it.

    up(Options(...)) -> Stack      starts it, or keeps the one that runs
    down(directory)                ends it and leaves no process

One directory holds one stack: `.local`, or the one that the environment variable PARLEY_LOCAL_DIR names.
"""

from tools.local.stack import Options, Stack, down, running, up
from tools.local.trouble import Trouble

__all__ = ["Options", "Stack", "Trouble", "down", "running", "up"]
