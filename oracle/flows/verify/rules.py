"""
The checks by number, and why each is made. docs/verification.md has the same numbers and titles; a test compares them.

A number never changes its meaning: scripts and people refer to it.
"""

from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """What a check needs."""

    OFFLINE = "offline"
    OWNER = "owner"
    CHAIN = "chain"


@dataclass(frozen=True, slots=True)
class Rule:
    """A check as it is always made; `why` is what `--explain` says."""

    number: int
    group: Group
    title: str
    why: str


def _rule(number: int, title: str, why: str) -> Rule:
    return Rule(number, Group.OFFLINE if number < FIRST_ON_CHAIN else Group.CHAIN, title, why)


FIRST_ON_CHAIN = 21

RULES = (
    _rule(
        1,
        "The bundle can be read",
        "A bundle comes from strangers. It is read strictly, bounded in size and depth, without unknown fields or keys that are "
        "there twice, so that two readers cannot see two different things in it.",
    ),
    _rule(
        2,
        "The receipt is canonical and of a known schema",
        "What was signed and quoted are the receipt's exact bytes. A receipt has one spelling only (RFC 8785), so nobody can "
        "change it and claim that it says the same.",
    ),
    _rule(
        3,
        "Input and output that are carried have the receipt's hashes",
        "The receipt holds input and output by sha256. Where the bundle brings the bytes along they have to be those; where it "
        "does not, compare the hashes with the bytes you have.",
    ),
    _rule(
        4,
        "The worker's key signed the receipt",
        "In every mode the worker signs what it says with the key that answers on chain. It shows who says so, and not yet that "
        "it is true.",
    ),
    _rule(
        5,
        "The receipt is attested",
        "Without a quote of the hardware a receipt is its operator's word. A worker outside a TEE makes none, and one whose "
        "socket was down sends its answer without, because the caller always hears.",
    ),
    _rule(
        6,
        "The quote's signatures lead to the trusted root",
        "Attestation key, quoting enclave, PCK certificate and Intel's CA sign one another up to the root. Only then is what "
        "the quote says the hardware's word. The moment is the receipt's own unless --at names another.",
    ),
    _rule(
        7,
        "The collateral is of its time, and no older than the policy allows",
        "Intel's lists say which platforms are broken or revoked. Lists that are expired, from the future or too old would hide "
        "what became known since. All parts have to be good at the moment asked about.",
    ),
    _rule(
        8,
        "The platform's TCB status and advisories are accepted",
        "A platform with old microcode may be one whose keys can be stolen. Intel's word for its state has to be one that the "
        "policy takes, and every advisory that applies has to be named there.",
    ),
    _rule(
        9,
        "The machine is not in debug mode",
        "The host reads and writes the memory of a machine in debug mode. Its measurements are right and prove nothing.",
    ),
    _rule(
        10,
        "The quote is over this receipt",
        "Report data is the one place where quoted software speaks. It has to be the tagged hash of the receipt's bytes, or of "
        "a Merkle root under which they provably stand, so that a quote of another receipt, or of something else, is no "
        "evidence here.",
    ),
    _rule(
        11,
        "The event log replays to the quote's registers",
        "The log names the application and everything that started before it, and comes from the host. It is believed when "
        "replaying it gives the very registers that the hardware signed.",
    ),
    _rule(
        12,
        "The measurements are accepted ones",
        "A quote says which software ran and not whether it is good. That is yours to say: you build the image, compute its "
        "measurements and name them in your policy. A policy that names none accepts none.",
    ),
    _rule(
        13,
        "Application, OS image and key provider are accepted ones",
        "The same operating system starts any application. Compose hash or RTMR3 says which one it was; one of them has to be "
        "named in the policy, and a compose file that is carried has to have that hash.",
    ),
    _rule(
        14,
        "The worker's policy is a known one",
        "The receipt names the policy that its worker was started with, so that who relaxed a rule says so. What counts is your "
        "own policy, by which all the other checks are made; this one is for your information.",
    ),
    _rule(
        15,
        "What the receipt says of its worker agrees with the evidence",
        "A receipt says under which root and in which mode its worker ran. Another root than the one trusted here, or a mode "
        "that does not fit the quote, is a contradiction.",
    ),
    _rule(
        16,
        "The receipt's time is not in the future",
        "The receipt's own time is the moment for which certificates and lists are judged. One that has not come yet would be "
        "judged by lists that nobody has seen.",
    ),
    _rule(
        17,
        "The module that ran is the one its source names",
        "A request that names a module by its sha256 has to be answered by that module. Of a repository the receipt names the "
        "commit, the toolchain with its recipe, and the module that came of it; building it again shows that they belong together.",
    ),
    _rule(
        18,
        "The receipt is the one that was asked for",
        "A bundle that is fetched comes from somebody who may send another good one. Request, contract and transaction have to be "
        "those that were named; a file answers for itself.",
    ),
    Rule(
        19,
        Group.OWNER,
        "The application's owner allows the compose file",
        "An application's id may be the address of a contract of its owner, on an EVM chain, which dstack's key service asks before "
        "it gives a machine its keys. Whoever names a node asks it for the compose hash of the event log; the node is believed.",
    ),
    _rule(
        21,
        "The nodes serve the receipt's chain",
        "Chains have names that anybody may use. The first block's hash tells them apart, so that a receipt from a chain of "
        "somebody's own is not taken for one of yours.",
    ),
    _rule(
        22,
        "The request is on chain as the receipt tells it",
        "Measured software answers what it is asked, also by a node that invents a request. The contract's event has the id, "
        "the caller, the code, the limits, the payment and the input, and each has to be the receipt's.",
    ),
    _rule(
        23,
        "The answer's transaction is the worker's and carries this receipt",
        "The contract was told a result by a key. It has to be the receipt's key and result, and the receipt's hash has to be "
        "in the call, so that no second receipt can claim the same answer.",
    ),
    _rule(
        24,
        "The request was settled by this answer",
        "An answer that came late, or lost against another, was never heard. The contract's own record of how the request ended, "
        "and what its callback returned to the caller, have to agree.",
    ),
    _rule(
        25,
        "The receipt was made between request and answer",
        "A receipt's time is the worker's. Blocks are dated by the chain: a receipt made before its request or after its answer "
        "was dated to suit somebody.",
    ),
    _rule(
        26,
        "The worker's key is registered with these measurements and settings",
        "The register contract verified a quote over the key before it let it answer. Measurements and the digest of the "
        "security settings have to be those of the receipt, the registration in force at that time, and the key not revoked.",
    ),
    _rule(
        27,
        "The register contract trusts the same root and serves the same contract",
        "A contract that was set up with a root of somebody's own registers anything. Its root is fixed for ever at the start "
        "and has to be the one trusted here.",
    ),
    _rule(
        28,
        "Nobody but the register contract can add keys to the operator's account",
        "A full-access key, or other code than ours, on that account could put a key there that no quote stands behind, and a key "
        "kept from before the contract came may answer by itself. Trust is checked where it can be undone.",
    ),
    _rule(
        29,
        "The contract's operator is the worker's account",
        "The contract takes answers of its operator alone. If its owner has named another one, what the worker's account guards "
        "no longer matters.",
    ),
    _rule(
        30,
        "Independent nodes agree",
        "A node can invent and hide as it likes. Two that are run by different people would have to do so together; the policy "
        "says whether you ask for that.",
    ),
    _rule(
        31,
        "The chain's evidence lies under the trusted block",
        "A block's hash stands for all that came before it. What a path of hashes joins to a block that you trust happened on that "
        "chain, and no node has to be believed for it.",
    ),
)
"""In order."""

BY_NUMBER = {rule.number: rule for rule in RULES}

THERE_IS_A_QUOTE = Rule(
    5,
    Group.OFFLINE,
    "The quote can be read",
    "Of a quote by itself there is no receipt that it could attest. It has to be a quote of a kind and version that is known, so that the "
    "checks below have something to look at.",
)
"""Check 5 where a quote alone is judged."""
