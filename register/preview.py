"""What the contract would say, from its views: so that a refusal is told in words and costs no gas."""

import asyncio

from oracle.errors import ConfigurationError
from oracle.model import VerifiedQuote
from oracle.tee.collateral import Collateral, moment
from oracle.tee.root import Root
from register.approval import not_approved
from register.contract import Config, ContractPolicy, RegisterContract
from register.errors import NotApproved, RegistrationRefused, Revoked
from register.evidence import Evidence
from register.plan import Plan


async def preview(contract: RegisterContract, plan: Plan, root: Root, public_key: str, evidence: Evidence) -> ContractPolicy:
    """
    Ask for everything that the contract compares; returns its policy.

    Raises:
        ConfigurationError: the contract is another worker's: other main contract, root or payer.
        Revoked, NotApproved, RegistrationRefused: it would refuse this key, this software, this platform.
        ChainError: no node answers.
    """
    config, root_der, policy, revoked, approved = await asyncio.gather(
        contract.config(),
        contract.root_der(),
        contract.policy(),
        contract.is_revoked(public_key),
        contract.approves(evidence.measurements),
    )
    _check_belongs(config, root_der, plan, root)
    if revoked:
        raise Revoked(f"{public_key} was revoked by {config.owner_id} and never comes back; a restart makes a new key")
    if not approved:
        sentence = not_approved(
            evidence.measurements, register_account_id=contract.account_id, owner_id=config.owner_id, network_id=plan.network_id
        )
        raise NotApproved(sentence, evidence.measurements)
    refusal = platform_refusal(policy, evidence.verified) or collateral_refusal(policy, evidence.collateral, evidence.at_s)
    if refusal is not None:
        raise RegistrationRefused(
            f"{contract.account_id} refuses the platform: {refusal}; its owner {config.owner_id} may widen set_policy"
        )
    return policy


def platform_refusal(policy: ContractPolicy, verified: VerifiedQuote) -> str | None:
    """Why the contract's policy refuses a platform's TCB; None: it does not."""
    if verified.tcb.status not in policy.accepted_tcb_statuses:
        return f"its TCB status is {verified.tcb.status}, accepted: {', '.join(policy.accepted_tcb_statuses)}"
    beside = sorted(set(verified.tcb.advisory_ids) - set(policy.accepted_advisories))
    return f"the advisories {', '.join(beside)} apply and are not accepted" if beside else None


def collateral_refusal(policy: ContractPolicy, collateral: Collateral, at_s: int) -> str | None:
    """Why the contract's policy refuses collateral at a moment; None: it does not."""
    least, most = policy.min_tcb_evaluation_data_number, policy.max_tcb_evaluation_data_number
    for part in collateral.parts[:2]:
        if not least <= part.number <= most:
            return f"the tcbEvaluationDataNumber of its {part.name} is {part.number}, accepted: {least} to {most}"
    if at_s - collateral.issued_s > policy.max_age_s:
        return f"its collateral was issued {moment(collateral.issued_s)}, at most {policy.max_age_s} seconds are accepted"
    return None


def _check_belongs(config: Config, root_der: bytes, plan: Plan, root: Root) -> None:
    problems = []
    if config.outlayer_contract_id != plan.main_contract_id:
        problems.append(
            f"REGISTER_CONTRACT_ID={plan.register_account_id!r}: its keys answer for {config.outlayer_contract_id}, and "
            f"OFFCHAINVM_CONTRACT_ID is {plan.main_contract_id!r}; name the contracts that belong together"
        )
    if config.init_worker_account not in {None, plan.payer_id}:
        problems.append(f"INIT_ACCOUNT_ID={plan.payer_id!r}: only {config.init_worker_account} may register there; name that account")
    if root_der != root.der:
        trusted = "another root certificate than TEE_ROOT_CA names" if root.is_test else "a root certificate that is not Intel's"
        problems.append(f"REGISTER_CONTRACT_ID={plan.register_account_id!r}: it trusts {trusted}; make the two the same")
    if problems:
        raise ConfigurationError(tuple(problems))
