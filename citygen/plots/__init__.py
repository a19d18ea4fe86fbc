"""Land to build on: blocks and their lots."""
