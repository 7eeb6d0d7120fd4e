"""The commands of ``claude-codegen``, one module each; :mod:`..cli` has the table."""
