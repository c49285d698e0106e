"""
A dstack machine on a test PKI: structurally real quotes that any verifier takes once it is given the simulator's root.

`Simulator` serves a machine and its collateral; below it, `make_pki`, `Quoter` and `make_collateral` make every good and bad case by value.
"""

from oracle.tee.simulator.collateral import Collateral, CollateralTerms, Revocable, make_collateral
from oracle.tee.simulator.compose import AppCompose
from oracle.tee.simulator.hardware import PckCa, Platform, Tee
from oracle.tee.simulator.keys import Secrets
from oracle.tee.simulator.machine import Machine, MachineOptions, MachineRefused
from oracle.tee.simulator.pki import Pki, make_pki
from oracle.tee.simulator.quotes import Quoter, TdQuoteVersion
from oracle.tee.simulator.reports import EnclaveReport, Measurements, TdReport
from oracle.tee.simulator.simulator import Simulator, SimulatorOptions
from oracle.tee.simulator.tcb import TcbStatus, Verdict, levels_for
from oracle.tee.simulator.window import Window

__all__ = [
    "AppCompose",
    "Collateral",
    "CollateralTerms",
    "EnclaveReport",
    "Machine",
    "MachineOptions",
    "MachineRefused",
    "Measurements",
    "PckCa",
    "Pki",
    "Platform",
    "Quoter",
    "Revocable",
    "Secrets",
    "Simulator",
    "SimulatorOptions",
    "TcbStatus",
    "TdQuoteVersion",
    "TdReport",
    "Tee",
    "Verdict",
    "Window",
    "levels_for",
    "make_collateral",
    "make_pki",
]
