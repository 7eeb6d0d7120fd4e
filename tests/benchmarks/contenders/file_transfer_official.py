"""Sends a file from its path, or writes one to a path, with the official SDK.

Arguments and result are those of ``file_transfer_ours.py``.
"""

import sys
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(sys.argv[0]).parent))

from anthropic import Anthropic
from transfer_memory import peak, resident

url, what, _, name, size = sys.argv[1:]
path = Path(name)
client = Anthropic(api_key="sk-ant-api03-none", base_url=url)
client.files.upload(file=b"warm")
client.files.download("file_100000").write_to_file(path.with_suffix(".warm"))
before, start = resident(), process_time()
if what == "up":
    client.files.upload(file=path)
else:
    client.files.download(f"file_{size}").write_to_file(path)
RESULT = {
    "growth": peak() - before,
    "cpu": process_time() - start,
    "through": path.stat().st_size,
}
