"""Values of the domain, frozen and pure: what is asked, of which code, within which limits, at which price, and what came of it."""

from oracle.model.answer import Answer, OutputFormat
from oracle.model.chain import BlockEvents, Completed, Cursor, Extended, Requested, TxHash, Unreadable
from oracle.model.job import Job, Stage
from oracle.model.limits import Limits, MaxLimits
from oracle.model.metrics import Metrics
from oracle.model.money import NEAR, Pricing, YoctoNear, format_near, yocto_from_text
from oracle.model.request import Origin, Request, SecretsRef
from oracle.model.source import BuildTarget, GitHub, Source, WasmUrl

__all__ = [
    "NEAR",
    "Answer",
    "BlockEvents",
    "BuildTarget",
    "Completed",
    "Cursor",
    "Extended",
    "GitHub",
    "Job",
    "Limits",
    "MaxLimits",
    "Metrics",
    "Origin",
    "OutputFormat",
    "Pricing",
    "Request",
    "Requested",
    "SecretsRef",
    "Source",
    "Stage",
    "TxHash",
    "Unreadable",
    "WasmUrl",
    "YoctoNear",
    "format_near",
    "yocto_from_text",
]
