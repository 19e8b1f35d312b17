"""One module per published file format. Each offers `load(path) -> Catalog`."""
