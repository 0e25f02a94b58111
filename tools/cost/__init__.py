"""The cost of a message on AWS: requests counted in the real code, times the list prices in tools/prices.toml.

    python -m tools.cost            prints docs/cost.md
    python -m tools.cost --write    writes it

Each case of `cases` is a series of messages, one a second, through the real handlers in a simulation of the faults
suite. `metering` counts each request and measures each item, with cached tokens and configurations. `fixed` counts what
a stage costs each month: the sweeper, metrics, and the alarms of the template. `tests/unit/test_cost.py` fails if the
document is outdated.
"""
