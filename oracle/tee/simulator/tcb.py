"""
TCB information (V3) and QE identity (V2): what Intel says of platforms and quoting enclaves, as JSON.

The signature covers the JSON's bytes as they are served, so a document is written once and never parsed again.

Source: Intel SGX and TDX Provisioning Certification Service API v4, "Get TCB Info" and "Get QE Identity"; the sample collateral.
"""

import json
from dataclasses import dataclass
from enum import StrEnum

from oracle.tee.simulator.hardware import Platform, QuotingEnclave, Tee
from oracle.tee.simulator.window import Window, iso_time

EVALUATION_DATA_NUMBER = 17
_TCB_DATE_S = 1_710_288_000
"""2024-03-13, of the sample collateral's newest level."""
_OLD_TCB_DATE_S = 1_691_539_200
"""2023-08-09, of its older level."""
_MASK = "FFFFFFFFFFFFFFFF"


class TcbStatus(StrEnum):
    """What Intel says of a level; `Revoked` is refused by every verifier, the others are policy."""

    UP_TO_DATE = "UpToDate"
    SW_HARDENING_NEEDED = "SWHardeningNeeded"
    CONFIGURATION_NEEDED = "ConfigurationNeeded"
    CONFIGURATION_AND_SW_HARDENING_NEEDED = "ConfigurationAndSWHardeningNeeded"
    OUT_OF_DATE = "OutOfDate"
    OUT_OF_DATE_CONFIGURATION_NEEDED = "OutOfDateConfigurationNeeded"
    REVOKED = "Revoked"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A status and the advisories that explain it."""

    status: TcbStatus = TcbStatus.UP_TO_DATE
    advisory_ids: tuple[str, ...] = ()


UP_TO_DATE = Verdict()
OUT_OF_DATE = Verdict(TcbStatus.OUT_OF_DATE, ("INTEL-SA-00837",))


@dataclass(frozen=True, slots=True)
class PlatformLevel:
    """A platform whose every SVN reaches these has this verdict."""

    sgx_components: bytes
    tdx_components: bytes
    pce_svn: int
    verdict: Verdict = UP_TO_DATE
    date_s: int = _TCB_DATE_S


@dataclass(frozen=True, slots=True)
class SvnLevel:
    """A TDX module or quoting enclave with at least this SVN has this verdict."""

    svn: int
    verdict: Verdict = UP_TO_DATE
    date_s: int = _TCB_DATE_S


@dataclass(frozen=True, slots=True)
class TcbLevels:
    """All levels that the documents list, best first."""

    platform: tuple[PlatformLevel, ...]
    module: tuple[SvnLevel, ...]
    enclave: tuple[SvnLevel, ...]


def levels_for(platform: Platform, tee: Tee, verdict: Verdict = UP_TO_DATE) -> TcbLevels:
    """Levels that give this platform the verdict by its SVNs, its module and its quoting enclave being up to date; older ones below."""
    svn = platform.quoting_enclave(tee).svn
    older = bytes(max(component - 1, 0) for component in platform.cpu_svn)
    newest = PlatformLevel(platform.cpu_svn, platform.tee_tcb_svn, platform.pce_svn, verdict)
    below = PlatformLevel(older, bytes(16), max(platform.pce_svn - 2, 0), OUT_OF_DATE, _OLD_TCB_DATE_S)
    module = platform.tee_tcb_svn[0]
    return TcbLevels(
        platform=(newest, below),
        module=(SvnLevel(module), SvnLevel(max(module - 2, 0), OUT_OF_DATE, _OLD_TCB_DATE_S)),
        enclave=(SvnLevel(svn), SvnLevel(max(svn - 2, 0), OUT_OF_DATE, _OLD_TCB_DATE_S)),
    )


def tcb_info(tee: Tee, platform: Platform, levels: TcbLevels, valid: Window, evaluation_number: int) -> bytes:
    """The JSON that is signed."""
    document: dict[str, object] = {
        "id": tee.value.upper(),
        "version": 3,
        "issueDate": iso_time(valid.start_s),
        "nextUpdate": iso_time(valid.end_s),
        "fmspc": platform.fmspc.hex().upper(),
        "pceId": platform.pce_id.hex().upper(),
        "tcbType": 0,
        "tcbEvaluationDataNumber": evaluation_number,
    }
    if tee is Tee.TDX:
        module = {
            "mrsigner": platform.mr_signer_seam.hex().upper(),
            "attributes": platform.seam_attributes.hex().upper(),
            "attributesMask": _MASK,
        }
        named = {"id": f"TDX_{platform.tee_tcb_svn[1]:02X}", **module, "tcbLevels": [_svn_level(level) for level in levels.module]}
        document |= {"tdxModule": module, "tdxModuleIdentities": [named]}
    document["tcbLevels"] = [_platform_level(level, tee) for level in levels.platform]
    return _compact(document)


def qe_identity(enclave: QuotingEnclave, levels: TcbLevels, valid: Window, evaluation_number: int) -> bytes:
    """The JSON that is signed."""
    return _compact(
        {
            "id": enclave.identity,
            "version": 2,
            "issueDate": iso_time(valid.start_s),
            "nextUpdate": iso_time(valid.end_s),
            "tcbEvaluationDataNumber": evaluation_number,
            "miscselect": enclave.misc_select.to_bytes(4, "little").hex().upper(),
            "miscselectMask": "FFFFFFFF",
            "attributes": "11000000000000000000000000000000",
            "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000",
            "mrsigner": enclave.mr_signer.hex().upper(),
            "isvprodid": enclave.prod_id,
            "tcbLevels": [_svn_level(level) for level in levels.enclave],
        }
    )


def _platform_level(level: PlatformLevel, tee: Tee) -> dict[str, object]:
    tcb: dict[str, object] = {"sgxtcbcomponents": _components(level.sgx_components), "pcesvn": level.pce_svn}
    if tee is Tee.TDX:
        tcb["tdxtcbcomponents"] = _components(level.tdx_components)
    return {"tcb": tcb, **_verdict(level.verdict, level.date_s)}


def _svn_level(level: SvnLevel) -> dict[str, object]:
    return {"tcb": {"isvsvn": level.svn}, **_verdict(level.verdict, level.date_s)}


def _components(svns: bytes) -> list[dict[str, int]]:
    return [{"svn": svn} for svn in svns]


def _verdict(verdict: Verdict, date_s: int) -> dict[str, object]:
    told: dict[str, object] = {"tcbDate": iso_time(date_s), "tcbStatus": verdict.status.value}
    return told | ({"advisoryIDs": list(verdict.advisory_ids)} if verdict.advisory_ids else {})


def _compact(document: dict[str, object]) -> bytes:
    """Without spaces and in our order: a PCCS hands the very bytes on, and a verifier may read and write them again unchanged."""
    return json.dumps(document, separators=(",", ":")).encode()
