"""Tools that run here: made from functions, run in a loop, and the memory tool.

- :mod:`.function_tools`: ``@tool`` makes a tool of a function;
- :mod:`.loop`: the conversation with tools as a state machine without I/O, its steps in
  :mod:`.steps`; :mod:`.runner` drives it: ``client.messages.tool_runner(...)``;
- :mod:`.memory`: the memory tool to subclass; :mod:`.local_memory` keeps it in files, which
  :mod:`.confined_files` does not let out of their folder.
"""
