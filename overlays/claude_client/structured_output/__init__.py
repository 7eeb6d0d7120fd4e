"""Replies as values of Python types: schemas of types, what the API takes of them, and back.

- :mod:`.api_schema`: a JSON Schema as the API takes it, and what had to be left out;
- :mod:`.schema_check`: whether a value fits a JSON Schema, what was left out included;
- :mod:`.type_schemas`: the JSON Schema of a Python type; :mod:`.conversion`: the way back;
- :mod:`.output_format`: both for one type, and a reply as a value of it.

Tools use the same types for their arguments.
"""
