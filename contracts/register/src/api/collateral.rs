//! Collateral: the owner puts it, anybody refreshes it with a quote that it verifies.

use kit::roster::Roster;
use kit::storage::{record_bytes, storage_cost, RECORD_BYTES};
use kit::text;
use near_sdk::{env, near};

use crate::chains;
use crate::collateral::{Collateral, CollateralArgument, CollateralParts, StoredCollateral};
use crate::error::CollateralError;
use crate::events::{CollateralUpdated, Event};
use crate::facts::Facts;
use crate::money::Till;
use crate::quote::Claimed;
use crate::storage::{Tag, COLLATERAL};
use crate::verification::verify;
use crate::{gas, Register, RegisterExt};

use super::views::page_size;

const FMSPC_BYTES: u64 = 6;
/// Two records in the list of FMSPCs.
const LIST_BYTES: u64 = 2 * (RECORD_BYTES + 1 + 1 + 4 + FMSPC_BYTES);
const NS: u64 = 1_000_000_000;

/// Collateral that comes along with a registration, and whether it is stored.
pub(crate) enum Brought {
    ToKeep(Collateral),
    ForOneUse(Collateral),
}

#[near]
impl Register {
    /// Owner: stores collateral under its FMSPC, whatever was there; every use verifies it. `index`, which other contracts take, has no meaning.
    #[payable]
    #[handle_result]
    pub fn update_collateral(&mut self, collateral: CollateralArgument, index: Option<u32>) -> Result<(), CollateralError> {
        self.assert_owner()?;
        let _ = index;
        let collateral = Collateral::parse(collateral.0)?;
        collateral.facts.check_validity(env::block_timestamp() / NS)?;
        let mut till = Till::open();
        self.keep_collateral(collateral, &mut till);
        Ok(till.settle()?)
    }

    /// Anybody: stores collateral that verifies the quote, in which nothing is older than what is stored, and of the same edition
    /// (`tcbEvaluationDataNumber`) while that serves: nobody chooses the edition that others are judged by.
    #[payable]
    #[handle_result]
    pub fn refresh_collateral(&mut self, quote: String, collateral: CollateralArgument) -> Result<(), CollateralError> {
        gas::assert_enough()?;
        let claimed = Claimed::parse(&quote)?;
        let collateral = self.current(collateral)?;
        if let Some(stored) = COLLATERAL.get(&collateral.facts.fmspc) {
            self.check_takes_the_place(&collateral.facts, &stored.collateral.facts)?;
        }
        verify(&claimed, &collateral, &self.root_ca_der, env::block_timestamp() / NS)?;
        let mut till = Till::open();
        self.keep_brought(collateral, &claimed, &mut till)?;
        Ok(till.settle()?)
    }

    /// What is stored for an FMSPC (12 hex digits), or null.
    #[handle_result]
    pub fn get_collateral(&self, fmspc: String) -> Result<Option<CollateralParts>, CollateralError> {
        let key = text::array_from_hex::<6>(&fmspc).ok_or_else(|| CollateralError::Fmspc { value: text::shorten(&fmspc, 40) })?;
        Ok(COLLATERAL.get(&key).map(|stored| stored.collateral.parts()))
    }

    /// The FMSPCs that collateral is stored for.
    pub fn list_collateral(&self, from_index: Option<u64>, limit: Option<u64>) -> Vec<String> {
        let page = self.fmspcs().page(from_index.unwrap_or(0), page_size(limit));
        page.iter().map(|fmspc| text::to_hex(fmspc)).collect()
    }
}

impl Register {
    /// Collateral that a worker brings for its registration: stored where `refresh_collateral` would store it. Of another edition than
    /// the stored, or beside what no longer serves, it serves this worker alone, so that who fills the place shuts nobody out.
    pub(crate) fn brought(&self, collateral: CollateralArgument) -> Result<Brought, CollateralError> {
        let collateral = self.current(collateral)?;
        let Some(stored) = COLLATERAL.get(&collateral.facts.fmspc) else { return Ok(Brought::ToKeep(collateral)) };
        match self.check_takes_the_place(&collateral.facts, &stored.collateral.facts) {
            Ok(()) => Ok(Brought::ToKeep(collateral)),
            Err(CollateralError::OtherIssuer { fmspc }) => Err(CollateralError::OtherIssuer { fmspc }),
            Err(_) if collateral.facts.edition() != stored.collateral.facts.edition() || !self.serves(&stored.collateral.facts) => {
                collateral.beside(stored.collateral).map(Brought::ForOneUse)
            }
            Err(refused) => Err(refused),
        }
    }

    /// Collateral from anybody: valid now and in the policy's range.
    fn current(&self, collateral: CollateralArgument) -> Result<Collateral, CollateralError> {
        let collateral = Collateral::parse(collateral.0)?;
        collateral.facts.check_validity(env::block_timestamp() / NS)?;
        self.policy.check_evaluation(&collateral.facts)?;
        Ok(collateral)
    }

    /// The rules of storing what anybody brings.
    fn check_takes_the_place(&self, brought: &Facts, stored: &Facts) -> Result<(), CollateralError> {
        brought.check_follows(stored)?;
        if brought.edition() == stored.edition() || !self.serves(stored) {
            return Ok(());
        }
        Err(CollateralError::OtherEdition { fmspc: text::to_hex(&brought.fmspc), brought: brought.edition(), stored: stored.edition() })
    }

    /// Whether anybody could register with it now.
    fn serves(&self, stored: &Facts) -> bool {
        let now_s = env::block_timestamp() / NS;
        let in_time = stored.check_validity(now_s).is_ok() && self.policy.check_age(stored, now_s).is_ok();
        in_time && self.policy.check_evaluation(stored).is_ok()
    }

    pub(crate) fn stored(&self, fmspc: &[u8; 6]) -> Result<Collateral, CollateralError> {
        let stored = COLLATERAL.get(fmspc).ok_or_else(|| CollateralError::NotStored { fmspc: text::to_hex(fmspc) })?;
        stored.collateral.facts.check_validity(env::block_timestamp() / NS)?;
        Ok(stored.collateral)
    }

    /// Stores what anybody has brought, once a quote has been verified with it.
    pub(crate) fn keep_brought(&mut self, collateral: Collateral, claimed: &Claimed, till: &mut Till) -> Result<(), CollateralError> {
        chains::check(&collateral, &claimed.pck_ca_der, &self.root_ca_der)?;
        self.keep_collateral(collateral, till);
        Ok(())
    }

    /// Stores it, unless it is the same; the caller pays, and who paid for the former has that deposit back.
    fn keep_collateral(&mut self, collateral: Collateral, till: &mut Till) {
        let fmspc = collateral.facts.fmspc;
        let former = COLLATERAL.get(&fmspc);
        if former.as_ref().is_some_and(|former| former.collateral == collateral) {
            return;
        }
        if let Some(former) = former {
            till.give_back(&former.payer, deposit(&former));
        }
        let stored = StoredCollateral { collateral, payer: till.payer().clone() };
        till.charge(deposit(&stored));
        COLLATERAL.put(&fmspc, &stored);
        let mut fmspcs = self.fmspcs();
        fmspcs.insert(&fmspc);
        self.collateral_count = fmspcs.len();
        Event::CollateralUpdated([told(&stored.collateral)]).emit();
    }

    fn fmspcs(&self) -> Roster {
        Roster::with_len(Tag::Fmspcs as u8, self.collateral_count)
    }
}

/// What collateral costs who brings it, in yoctoNEAR.
pub fn deposit(stored: &StoredCollateral) -> u128 {
    storage_cost(record_bytes(FMSPC_BYTES as usize, stored) + LIST_BYTES)
}

fn told(collateral: &Collateral) -> CollateralUpdated {
    let facts = &collateral.facts;
    CollateralUpdated {
        fmspc: text::to_hex(&facts.fmspc),
        tcb_evaluation_data_number: facts.tcb_evaluation_number,
        tcb_info_issued: facts.tcb_info.issued_s,
        qe_identity_issued: facts.qe_identity.issued_s,
        pck_crl_issued: facts.pck_crl.issued_s,
        root_ca_crl_issued: facts.root_crl.issued_s,
    }
}
