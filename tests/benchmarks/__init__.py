"""How fast and how small the client is, as ratios measured in one run.

Each benchmark does the same work three times: with this project, by hand with the same HTTP
library and JSON parser (the floor), and with the official SDK. ``python tests/benchmarks --help``
tells how to run them. Timings are compared with their targets in words and fail nothing; what can
be counted is held by ``test_benchmarks.py``.
"""
