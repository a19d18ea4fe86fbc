"""The coverage solver: rays are counted."""
