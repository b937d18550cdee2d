"""The command line: thin commands over the library, in the user's language."""
