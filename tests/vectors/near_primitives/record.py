"""
Records what near-primitives 0.38 makes of leaves, outcomes and headers, in `light_client.json` beside this file.

    python tests/vectors/near_primitives/record.py NEAR_VECTORS

NEAR_VECTORS is the program `near-vectors` built from `tests/clients/near_views`.
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    answer = json.loads(subprocess.run([sys.argv[1]], capture_output=True, text=True, check=True).stdout)
    (HERE / "light_client.json").write_text(json.dumps(answer, indent=1) + "\n")


if __name__ == "__main__":
    main()
