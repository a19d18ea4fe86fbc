"""The ground: its sheet and markings, and the terrain it was graded from."""
