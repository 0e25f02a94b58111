"""`make demo`: conversations and attacks over real HTTP on the local stack, with one printed row each.

Each platform has a module here, by its name, with its cases in `CASES`. `tests/integration/test_demo.py` runs the same
cases as tests.
"""
