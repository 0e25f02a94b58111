"""The setups of the platforms, one module each; see `parley_cli.setups`."""
