#!/usr/bin/env python3
"""
Say what a machine of an app-compose JSON will measure, before it boots: MRTD and RTMR0 to RTMR3, as the register contract approves them.

MRTD and RTMR0 to RTMR2 follow from the OS image, the processors and the memory: they are taken from a machine of the same kind (--like, the
JSON of GetQuote or Info) or from dstack's own tool (--image, the output of `dstack-mr measure --json`). RTMR3 is computed here from the
events that dstack measures. With --like and the same app it is compared with what that machine measured; exit code 1 says that it differs.
"""

import argparse
import json
import sys
from pathlib import Path

from phala.app_compose import Manifest
from phala.attested import Said
from phala.refused import Refused
from phala.rtmr3 import Identity, Named, Platform, after, payload_digest, recorded, replayed

from oracle.model.tee import MEASUREMENT_NAMES

EXAMPLE = "example: scripts/expected-measurements.py build/phala/app-compose.json --like quote.json > build/phala/measurements.json"


def main() -> None:
    given = _arguments()
    try:
        app = Manifest.from_file(given.app_compose)
        said = Said.from_file(given.like or given.image)
        events = _events(given, app, said)
        rtmr3_hex = replayed(events).hex()
    except Refused as refused:
        sys.exit(str(refused))
    for event in events:
        print(f"  {payload_digest(event.name, event.payload)}", file=sys.stderr)
    print(json.dumps(dict(zip(MEASUREMENT_NAMES, (*said.image_hex, rtmr3_hex), strict=True)), indent=1))
    if given.like:
        sys.exit(_compared(said, events, app, rtmr3_hex))
    print("the values of --image and --os-image-hash were taken as they are", file=sys.stderr)


def _events(given: argparse.Namespace, app: Manifest, said: Said) -> list[Named]:
    identity = Identity(_hex(given.app_id, 20, "--app-id"), _hex(given.instance_id, 20, "--instance-id"))
    if not given.like:
        platform = Platform(_hex(given.os_image_hash, 32, "--os-image-hash"), given.key_provider_id, _hex(given.mr_kms, 32, "--mr-kms"))
        return recorded(app, identity, platform)
    if said.log is None:
        raise Refused(f"{given.like}: it has no event log; name it with --image if it comes from dstack-mr")
    return after(said.log, app, identity)


def _compared(said: Said, events: list[Named], app: Manifest, rtmr3_hex: str) -> int:
    measured = {event.name: event.payload for event in (said.log.events if said.log else ()) if event.register == 3}
    if not said.is_quoted:
        print("the four registers below RTMR3 are that machine's word, not a quote's", file=sys.stderr)
    if measured.get("compose-hash") != app.compose_hash:
        print("that machine runs another app: RTMR3 was computed from its events", file=sys.stderr)
        return 0
    if said.rtmr3_hex == rtmr3_hex:
        print("that machine runs this app and measured the same", file=sys.stderr)
        return 0
    expected = {event.name: event.payload for event in events}
    differing = sorted(name for name in expected if expected[name] != measured.get(name))
    more = "" if differing else " (it emitted events of its own after it was ready)"
    print(
        f"that machine runs this app and measured {said.rtmr3_hex}; differing: {', '.join(differing) or 'nothing'}{more}", file=sys.stderr
    )
    return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("app_compose", type=Path, help="the app-compose JSON, byte for byte")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--like", type=Path, help="JSON of GetQuote or Info of a machine with this OS image, processors and memory")
    source.add_argument("--image", type=Path, help="JSON with mrtd, rtmr0, rtmr1 and rtmr2, as dstack-mr prints it")
    parser.add_argument("--app-id", help="40 hex digits, where the platform gives one; else the front of the compose hash")
    parser.add_argument("--instance-id", help="40 hex digits; needed unless the app sets no_instance_id")
    parser.add_argument("--os-image-hash", help="with --image: 64 hex digits, digest.txt of the OS image")
    parser.add_argument("--key-provider-id", default="", help="with --image: hex, the KMS's public key")
    parser.add_argument("--mr-kms", help="with --image: 64 hex digits, where the KMS attests itself (dstack 0.5)")
    return parser.parse_args()


def _hex(text: str | None, size: int, option: str) -> bytes | None:
    if text is None:
        return None
    digits = text.removeprefix("0x")
    try:
        value = bytes.fromhex(digits)
    except ValueError:
        value = b""
    if len(value) != size or len(digits) != 2 * size:
        raise Refused(f"{option}: wanted: {2 * size} hex digits")
    return value


if __name__ == "__main__":
    main()
