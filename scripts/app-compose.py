#!/usr/bin/env python3
"""
Write dstack's app-compose JSON of the worker: docker-compose.phala.yml with its values written in, and the terms of the machine.

The settings file has NAME=VALUE lines; the compose file names every value, and what is missing is told. Printed are the compose hash (the
SHA-256 of the JSON's bytes) and the app id that follows from it.
"""

import argparse
import sys
from pathlib import Path

from phala.app_compose import Terms, make
from phala.refused import Refused
from phala.template import fill, read_text, read_values

TEMPLATE = Path(__file__).resolve().parents[1] / "docker-compose.phala.yml"
EXAMPLE = "example: scripts/app-compose.py phala.env --image docker.io/me/worker@sha256:… --out build/phala"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("settings", type=Path, help="NAME=VALUE lines; no secret, because what is measured is public")
    parser.add_argument("--image", help="the worker's image by digest, as scripts/push-image.sh prints it (WORKER_IMAGE)")
    parser.add_argument("--out", type=Path, default=Path("build/phala"), help="directory for both files (default: %(default)s)")
    parser.add_argument("--name", default="near-compute-oracle", help="of the app (default: %(default)s)")
    parser.add_argument("--compose", type=Path, default=TEMPLATE, help="another compose file than docker-compose.phala.yml")
    parser.add_argument("--instance-id", action="store_true", help="measure each machine apart: an approval each, a disk key each")
    parser.add_argument("--no-public-logs", action="store_true", help="do not show the containers' logs to everybody")
    parser.add_argument("--no-gateway", action="store_true", help="no address below dstack's gateway")
    given = parser.parse_args()
    try:
        values = read_values(given.settings) | ({"WORKER_IMAGE": given.image} if given.image else {})
        filled = fill(read_text(given.compose), values)
        terms = Terms(given.name, not given.instance_id, not given.no_public_logs, not given.no_gateway)
        manifest = make(filled, terms)
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "docker-compose.yml").write_bytes(filled.text.encode())
        (given.out / "app-compose.json").write_bytes(manifest.text.encode())
    except Refused as refused:
        sys.exit(str(refused))
    except OSError as error:
        sys.exit(f"{given.out} cannot be written: {error.strerror}")
    print(f"compose file   {given.out / 'docker-compose.yml'}")
    print(f"app-compose    {given.out / 'app-compose.json'}")
    print(f"compose hash   {manifest.compose_hash.hex()}")
    print(f"app id         {manifest.default_app_id.hex()} (unless the platform gives another)")
    print(f"encrypted      {', '.join(filled.secrets) or '(nothing)'}")


if __name__ == "__main__":
    main()
