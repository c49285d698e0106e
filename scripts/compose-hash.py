#!/usr/bin/env python3
"""
Print the compose hash of an app-compose JSON: the SHA-256 of its very bytes, which a machine measures into RTMR3.

With --compose it is checked that a machine would start exactly that compose text, nothing before it, and let in no variable but the secret:
exit code 1 names what differs. That is how to look at a JSON that a platform wrote, and at one that an unknown machine tells of itself.
"""

import argparse
import json
import sys
from pathlib import Path

from phala.app_compose import Manifest, differences
from phala.refused import Refused
from phala.template import read_text

EXAMPLE = "example: scripts/compose-hash.py told.json --compose build/phala/docker-compose.yml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("app_compose", type=Path, help="the JSON, byte for byte")
    parser.add_argument("--compose", type=Path, help="the compose file that it has to hold")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    try:
        manifest = Manifest.from_file(given.app_compose)
        found = differences(manifest, read_text(given.compose)) if given.compose else []
    except Refused as refused:
        sys.exit(str(refused))
    told = {
        "compose_hash": manifest.compose_hash.hex(),
        "app_id": manifest.default_app_id.hex(),
        "no_instance_id": manifest.no_instance_id,
        "key_provider": manifest.key_provider,
        "differences": found,
    }
    if given.json:
        print(json.dumps(told))
    else:
        print(f"compose hash   {told['compose_hash']}")
        print(f"app id         {told['app_id']} (unless the platform gives another)")
        print(f"instance id    {'not measured' if manifest.no_instance_id else 'measured: every machine has an RTMR3 of its own'}")
        print(f"key provider   {manifest.key_provider}")
        for difference in found:
            print(f"DIFFERS        {difference}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
