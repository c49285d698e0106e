//! A worker's key comes on the account, or is renewed: a quote that was made for it, verified once.

use kit::text;
use near_sdk::{env, near, Promise, PublicKey};

use crate::binding::{self, Context};
use crate::collateral::{Collateral, CollateralArgument};
use crate::error::RegisterError;
use crate::measurements::Measurements;
use crate::money::Till;
use crate::quote::Claimed;
use crate::storage::{REVOKED, WORKERS};
use crate::verification::{verify, Verified};
use crate::worker::Worker;
use crate::{access_key, gas, Register, RegisterExt};

use super::arguments::TimeNs;
use super::collateral::Brought;
use super::removal::EXAMINED_AT_REGISTRATION;

const NS: u64 = 1_000_000_000;

/// What somebody asks to be registered, read but not yet believed.
struct Asked {
    public_key: [u8; 32],
    claimed: Claimed,
    seen_block_time_ns: u64,
    settings_sha256: [u8; 32],
}

#[near]
impl Register {
    /// Registers or renews with the stored collateral of the quote's FMSPC. Returns whether the key is on the account.
    #[payable]
    #[handle_result]
    pub fn register_worker_key(
        &mut self,
        public_key: PublicKey,
        tdx_quote_hex: String,
        seen_block_time: Option<TimeNs>,
        settings_sha256_hex: Option<String>,
    ) -> Result<Promise, RegisterError> {
        let asked = self.read(&public_key, &tdx_quote_hex, seen_block_time, settings_sha256_hex)?;
        let former = self.assert_may_register(&asked)?;
        let collateral = self.stored(&asked.claimed.fmspc)?;
        let verified = self.judge(&asked, &collateral)?;
        self.enter(asked, verified, former, Till::open())
    }

    /// The same with collateral that comes along. It is stored under the rules of `refresh_collateral`; of another edition than what is
    /// stored and still serves, it is used and not stored.
    #[payable]
    #[handle_result]
    pub fn register_worker(
        &mut self,
        tdx_quote: String,
        collateral: CollateralArgument,
        public_key: PublicKey,
        seen_block_time: Option<TimeNs>,
        settings_sha256_hex: Option<String>,
    ) -> Result<Promise, RegisterError> {
        let asked = self.read(&public_key, &tdx_quote, seen_block_time, settings_sha256_hex)?;
        let former = self.assert_may_register(&asked)?;
        let brought = self.brought(collateral)?;
        let (Brought::ToKeep(collateral) | Brought::ForOneUse(collateral)) = &brought;
        let verified = self.judge(&asked, collateral)?;
        let mut till = Till::open();
        if let Brought::ToKeep(collateral) = brought {
            self.keep_brought(collateral, &asked.claimed, &mut till)?;
        }
        self.enter(asked, verified, former, till)
    }
}

impl Register {
    fn read(
        &self,
        public_key: &PublicKey,
        quote_hex: &str,
        seen_block_time: Option<TimeNs>,
        settings_sha256_hex: Option<String>,
    ) -> Result<Asked, RegisterError> {
        gas::assert_enough()?;
        self.assert_registrant()?;
        let settings = settings_sha256_hex
            .map(|hex| text::array_from_hex(&hex).ok_or_else(|| RegisterError::Settings { value: text::shorten(&hex, 80) }));
        Ok(Asked {
            public_key: access_key::raw(public_key).ok_or(RegisterError::Curve)?,
            seen_block_time_ns: binding::check_time(seen_block_time.map(|time| time.0), env::block_timestamp())?,
            settings_sha256: settings.transpose()?.unwrap_or(binding::NO_SETTINGS),
            claimed: Claimed::parse(quote_hex)?,
        })
    }

    fn assert_registrant(&self) -> Result<(), RegisterError> {
        let caller = env::predecessor_account_id();
        match &self.init_worker_account {
            Some(allowed) if *allowed != caller => Err(RegisterError::NotAllowed { caller, allowed: allowed.clone() }),
            _ => Ok(()),
        }
    }

    /// All that can be judged before the verification, so that a refusal is cheap. Gives the registration that would be renewed.
    fn assert_may_register(&self, asked: &Asked) -> Result<Option<Worker>, RegisterError> {
        if let Some(tombstone) = REVOKED.get(&asked.public_key) {
            return Err(RegisterError::Revoked { revoked_ns: tombstone.revoked_ns });
        }
        let former = WORKERS.get(&asked.public_key);
        if let Some(former) = former.as_ref().filter(|former| asked.seen_block_time_ns <= former.seen_block_time_ns) {
            return Err(RegisterError::Replayed { registered: former.seen_block_time_ns, seen: asked.seen_block_time_ns });
        }
        self.assert_bound(asked, &asked.claimed.report_data)?;
        self.assert_approved(&asked.claimed.measurements)?;
        Ok(former)
    }

    fn assert_bound(&self, asked: &Asked, report_data: &[u8; 64]) -> Result<(), RegisterError> {
        let context = Context {
            register_account: &env::current_account_id(),
            main_contract: &self.outlayer_contract_id,
            seen_block_time: asked.seen_block_time_ns,
            settings_sha256: asked.settings_sha256,
        };
        Ok(context.check(&asked.public_key, report_data)?)
    }

    fn assert_approved(&self, measurements: &Measurements) -> Result<(), RegisterError> {
        if self.approved().has(&measurements.joined()) {
            return Ok(());
        }
        let hex = measurements.hex();
        Err(RegisterError::NotApproved {
            mrtd: hex.mrtd,
            rtmr0: hex.rtmr0,
            rtmr1: hex.rtmr1,
            rtmr2: hex.rtmr2,
            rtmr3: hex.rtmr3,
            owner: self.owner_id.clone(),
        })
    }

    /// The verification, and the policy on what it says. What was compared before is compared again with what is verified.
    fn judge(&self, asked: &Asked, collateral: &Collateral) -> Result<Verified, RegisterError> {
        let now_s = env::block_timestamp() / NS;
        self.policy.check_evaluation(&collateral.facts)?;
        self.policy.check_age(&collateral.facts, now_s)?;
        let verified = verify(&asked.claimed, collateral, &self.root_ca_der, now_s)?;
        self.assert_bound(asked, &verified.report_data)?;
        self.assert_approved(&verified.measurements)?;
        self.policy.check_platform(&verified.tcb_status, &verified.advisory_ids)?;
        Ok(verified)
    }

    fn enter(&mut self, asked: Asked, verified: Verified, former: Option<Worker>, mut till: Till) -> Result<Promise, RegisterError> {
        let worker = Worker {
            public_key: asked.public_key,
            measurements: verified.measurements,
            settings_sha256: asked.settings_sha256,
            seen_block_time_ns: asked.seen_block_time_ns,
            registered_ns: env::block_timestamp(),
            expires_ns: asked.seen_block_time_ns.saturating_add(self.policy.lifetime_s.saturating_mul(NS)),
            tcb_status: verified.tcb_status,
            advisory_ids: verified.advisory_ids,
            fmspc: asked.claimed.fmspc,
            payer: till.payer().clone(),
            renewals: former.as_ref().map_or(0, |former| former.renewals.saturating_add(1)),
        };
        if let Some(former) = &former {
            self.unlist(former);
            till.give_back(&former.payer, former.deposit(&self.outlayer_contract_id));
        }
        // Before the worker is listed, so that no look is spent on it.
        self.sweep(EXAMINED_AT_REGISTRATION);
        till.charge(worker.deposit(&self.outlayer_contract_id));
        self.list(&worker);
        till.settle()?;
        Ok(self.put_key(&worker, former.is_some()))
    }
}
