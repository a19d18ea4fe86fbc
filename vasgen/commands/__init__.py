"""The commands of the command line, one module each; rooms are imported when one runs.

A module holds an ``app`` with its command; ``vasgen.cli`` lists the modules.
"""
