"""One round of bench.load: prints CPU seconds of loading and building, of libyaml alone, and bytes.

python -m bench.loaded FLOW_FILE
"""

import gc
import json
import os
import sys
import time
from pathlib import Path

import yaml

from dfm.flow.load import Options, load


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    file = sys.argv[1]
    gc.disable()  # as `dfm run` does
    before, began = resident(), time.process_time()
    graph = load(Options(file), {}).graph(["all"], "/rundir")
    cpu_s = time.process_time() - began
    taken = resident() - before
    text = Path(file).read_text()
    began = time.process_time()
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    yaml_s = time.process_time() - began
    assert graph.nodes
    assert root is not None
    print(json.dumps([cpu_s, yaml_s, taken]))


if __name__ == "__main__":
    main()
