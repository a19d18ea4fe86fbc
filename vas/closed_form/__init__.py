"""The closed-form solver: chains are searched, paths are proved."""
