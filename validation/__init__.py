"""Radio maps against closed forms and an independent solver; writes ``docs/validation.md``."""
