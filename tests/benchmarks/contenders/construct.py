"""Makes clients. Arguments: module, class, how many, keyword arguments as JSON.

Result: CPU seconds of the first client, and the least of the others.
"""

import json
import sys
from importlib import import_module
from time import process_time

module, name, count, keywords = sys.argv[1:]
make = getattr(import_module(module), name)
arguments = json.loads(keywords)
RESULT = {"first": 0.0, "later": float("inf")}
for number in range(int(count) + 1):
    start = process_time()
    client = make(**arguments)
    cpu = process_time() - start
    if number == 0:
        RESULT["first"] = cpu
    else:
        RESULT["later"] = min(RESULT["later"], cpu)
    client.close()
