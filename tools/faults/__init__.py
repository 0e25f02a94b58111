"""The fault-injection suite: a deterministic simulation that runs the real handlers while any call can fail.

A `simulation` is a deployment in one process: imitated platforms, fakes of DynamoDB, SQS and SSM, and a virtual clock.
The `injector` decides at each call whether it fails. The `oracle` compares the messages at the platforms with the ones
that must be there. `scenarios` inject one or two chosen faults; `random_runs` inject faults at random.
"""
