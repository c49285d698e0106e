"""Values of the domain, frozen and pure: what is asked, of which code, within which limits, at which price, and what came of it."""

from oracle.model.answer import Answer, OutputFormat
from oracle.model.chain import BlockEvents, Completed, Cursor, Extended, Requested, TxHash, Unreadable
from oracle.model.job import Job, Stage
from oracle.model.limits import Limits, MaxLimits
from oracle.model.metrics import Metrics
from oracle.model.money import NEAR, Pricing, YoctoNear, format_near, yocto_from_text
from oracle.model.request import Origin, Request, SecretsRef
from oracle.model.source import BuildTarget, GitHub, Source, WasmUrl
from oracle.model.tee import (
    AppIdentity,
    Attestation,
    Measurements,
    QuoteKind,
    QuoteReport,
    SgxFields,
    Tcb,
    TdxFields,
    VerifiedQuote,
)
from oracle.model.toolchain import Toolchain

__all__ = [
    "NEAR",
    "Answer",
    "AppIdentity",
    "Attestation",
    "BlockEvents",
    "BuildTarget",
    "Completed",
    "Cursor",
    "Extended",
    "GitHub",
    "Job",
    "Limits",
    "MaxLimits",
    "Measurements",
    "Metrics",
    "Origin",
    "OutputFormat",
    "Pricing",
    "QuoteKind",
    "QuoteReport",
    "Request",
    "Requested",
    "SecretsRef",
    "SgxFields",
    "Source",
    "Stage",
    "Tcb",
    "TdxFields",
    "Toolchain",
    "TxHash",
    "Unreadable",
    "VerifiedQuote",
    "WasmUrl",
    "YoctoNear",
    "format_near",
    "yocto_from_text",
]
