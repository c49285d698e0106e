//! What anybody may look at.

use kit::text;
use near_sdk::json_types::U128;
use near_sdk::{env, near, AccountId, PublicKey};

use crate::binding::NO_SETTINGS;
use crate::collateral::{Collateral, CollateralArgument, StoredCollateral};
use crate::error::{CollateralError, WorkerError};
use crate::measurements::{parse_one, Measurements, MeasurementsHex};
use crate::quote::Claimed;
use crate::storage::{REVOKED, WORKERS};
use crate::verification::verify;
use crate::worker::{Worker, WorkerView};
use crate::{access_key, gas, Register, RegisterExt};

use super::removal::keys_of_rtmr3;

const NS: u64 = 1_000_000_000;
const DEFAULT_PAGE: u64 = 50;
const LONGEST_PAGE: u64 = 100;

/// Fixed at the start, but for the owner and the account that registers.
#[near(serializers = [json])]
pub struct Config {
    pub owner_id: AccountId,
    pub outlayer_contract_id: AccountId,
    pub init_worker_account: Option<AccountId>,
    pub worker_count: u32,
}

/// What a quote says and what would be said to it now.
#[near(serializers = [json])]
pub struct QuoteVerdict {
    pub tcb_status: String,
    pub advisory_ids: Vec<String>,
    pub fmspc: String,
    pub measurements: MeasurementsHex,
    pub measurements_approved: bool,
    pub report_data: String,
    /// Why the policy refuses the platform or the collateral, or null.
    pub policy_refusal: Option<String>,
}

#[near]
impl Register {
    /// Whether the key is registered and its time is not up.
    pub fn is_worker_registered(&self, public_key: PublicKey) -> bool {
        let worker = access_key::raw(&public_key).and_then(|raw| WORKERS.get(&raw));
        worker.is_some_and(|worker| !worker.is_expired(env::block_timestamp()))
    }

    pub fn is_worker_revoked(&self, public_key: PublicKey) -> bool {
        access_key::raw(&public_key).is_some_and(|raw| REVOKED.get(&raw).is_some())
    }

    /// By key, or by RTMR3 (96 hex digits): of several that share it the one with the newest quote.
    #[handle_result]
    pub fn get_worker(&self, rtmr3: Option<String>, public_key: Option<PublicKey>) -> Result<Option<WorkerView>, WorkerError> {
        let now = env::block_timestamp();
        let worker = match (rtmr3, public_key) {
            (None, Some(public_key)) => WORKERS.get(&access_key::raw(&public_key).ok_or(WorkerError::Curve)?),
            (Some(rtmr3), None) => newest(&keys_of_rtmr3(&parse_one("rtmr3", &rtmr3)?).page(0, LONGEST_PAGE)),
            _ => return Err(WorkerError::OneName),
        };
        Ok(worker.map(|worker| worker.view(now)))
    }

    /// Expired ones are in the list until they are removed.
    pub fn list_workers(&self, from_index: Option<u64>, limit: Option<u64>) -> Vec<WorkerView> {
        let now = env::block_timestamp();
        let page = self.workers().page(from_index.unwrap_or(0), page_size(limit));
        page.iter().filter_map(|key| WORKERS.get(key)).map(|worker| worker.view(now)).collect()
    }

    /// The root certificate that quotes are verified under: DER, hex.
    pub fn get_root(&self) -> String {
        text::to_hex(&self.root_ca_der)
    }

    pub fn get_config(&self) -> Config {
        Config {
            owner_id: self.owner_id.clone(),
            outlayer_contract_id: self.outlayer_contract_id.clone(),
            init_worker_account: self.init_worker_account.clone(),
            worker_count: self.worker_count,
        }
    }

    /// The least gas to attach to a method that verifies a quote.
    pub fn get_minimum_gas(&self) -> u64 {
        gas::LEAST_FOR_A_QUOTE.as_gas()
    }

    /// A deposit that is enough to register with any quote that the policy takes, in yoctoNEAR; with the collateral that comes along, for
    /// that too. What is too much comes back.
    #[handle_result]
    pub fn estimate_deposit(&self, collateral: Option<CollateralArgument>) -> Result<U128, CollateralError> {
        let longest_payer = longest_account();
        let worker = Worker {
            public_key: [0; 32],
            measurements: Measurements { mrtd: [0; 48], rtmr0: [0; 48], rtmr1: [0; 48], rtmr2: [0; 48], rtmr3: [0; 48] },
            settings_sha256: NO_SETTINGS,
            seen_block_time_ns: 0,
            registered_ns: 0,
            expires_ns: 0,
            tcb_status: self.policy.accepted_tcb_statuses.iter().max_by_key(|status| status.len()).cloned().unwrap_or_default(),
            advisory_ids: self.policy.accepted_advisories.clone(),
            fmspc: [0; 6],
            payer: longest_payer.clone(),
            renewals: 0,
        };
        let for_collateral = match collateral {
            Some(parts) => super::collateral::deposit(&StoredCollateral { collateral: Collateral::parse(parts.0)?, payer: longest_payer }),
            None => 0,
        };
        Ok((worker.deposit(&self.outlayer_contract_id) + for_collateral).into())
    }

    /// Verifies a quote at the block's time, with the collateral given or that which is stored, and registers nothing.
    #[handle_result]
    pub fn verify_quote(&self, tdx_quote_hex: String, collateral: Option<CollateralArgument>) -> Result<QuoteVerdict, CollateralError> {
        let claimed = Claimed::parse(&tdx_quote_hex)?;
        let collateral = match collateral {
            Some(parts) => Collateral::parse(parts.0)?,
            None => self.stored(&claimed.fmspc)?,
        };
        let now_s = env::block_timestamp() / NS;
        collateral.facts.check_validity(now_s)?;
        let verified = verify(&claimed, &collateral, &self.root_ca_der, now_s)?;
        let policy = self.policy.check_evaluation(&collateral.facts).and_then(|()| self.policy.check_age(&collateral.facts, now_s));
        let policy = policy.and_then(|()| self.policy.check_platform(&verified.tcb_status, &verified.advisory_ids));
        Ok(QuoteVerdict {
            fmspc: text::to_hex(&claimed.fmspc),
            measurements: verified.measurements.hex(),
            measurements_approved: self.approved().has(&verified.measurements.joined()),
            report_data: text::to_hex(&verified.report_data),
            policy_refusal: policy.err().map(|refusal| refusal.to_string()),
            tcb_status: verified.tcb_status,
            advisory_ids: verified.advisory_ids,
        })
    }
}

pub fn page_size(limit: Option<u64>) -> u64 {
    limit.unwrap_or(DEFAULT_PAGE).min(LONGEST_PAGE)
}

fn newest(keys: &[Vec<u8>]) -> Option<Worker> {
    keys.iter().filter_map(|key| WORKERS.get(key)).max_by_key(|worker| worker.seen_block_time_ns)
}

/// 64 bytes, the longest an account id can be.
fn longest_account() -> AccountId {
    "a".repeat(64).parse().unwrap_or_else(|_| env::current_account_id())
}
