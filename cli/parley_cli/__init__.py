"""The command line `parley`, for the people who run a deployment. No function has it.

A group of commands is a module here with a Typer object `group`, or with a function `register` that adds one command.
`parley_cli.main` lists them, one line each.
"""
