//! Who may answer: a worker's key comes on this account because an Intel TDX quote proved which software holds it, and leaves when its time is up.
//!
//! Rules this crate keeps:
//! - A key is added only after one full DCAP verification at the block's time, under one root that is fixed at the start.
//! - Everything a quote says is compared: five measurements, the key, the accounts, the time and the settings it was made for.
//! - A revoked key leaves a tombstone and never comes back; collateral that comes from anybody never goes back in time.
//! - What somebody else has stored shuts no worker out: of another edition it leaves room for one's own, and its chains hold what was verified and no more.
//! - Who causes bytes to be kept pays for them, and has the deposit back when they go.
//! - No entry point's gas grows with the number of workers.

mod access_key;
mod api;
mod binding;
mod chains;
mod collateral;
mod dates;
mod error;
mod events;
mod facts;
mod gas;
mod measurements;
mod money;
mod policy;
mod quote;
mod randomness;
mod storage;
mod verification;
mod worker;

use near_sdk::{near, AccountId, FunctionError, NearToken, PanicOnDefault};

use error::OwnerError;
use policy::Policy;

/// What `get_version` tells.
pub const CONTRACT_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Layout of the state below; `migrate` reads every layout up to this one.
pub const STATE_VERSION: u16 = 1;

#[near(contract_state)]
#[derive(PanicOnDefault)]
pub struct Register {
    /// First, so that `migrate` can tell the layout before it reads the rest.
    state_version: u16,
    owner_id: AccountId,
    /// Where the keys may call; quotes are bound to it.
    outlayer_contract_id: AccountId,
    /// When set, the only account that may register.
    init_worker_account: Option<AccountId>,
    /// X.509 certificate, DER. Fixed for ever.
    root_ca_der: Vec<u8>,
    policy: Policy,
    /// What each key may spend on gas.
    key_allowance: NearToken,
    worker_count: u32,
    measurements_count: u32,
    collateral_count: u32,
    /// Where in the list of workers the search for expired ones goes on.
    sweep_index: u32,
}

#[near]
impl Register {
    /// The root is Intel's SGX provisioning root unless another certificate is given (DER, hex); it cannot be changed afterwards.
    #[init]
    pub fn new(
        owner_id: AccountId,
        outlayer_contract_id: AccountId,
        init_worker_account: Option<AccountId>,
        root_ca_der_hex: Option<String>,
    ) -> Self {
        let root_ca_der = verification::root(root_ca_der_hex.as_deref()).unwrap_or_else(|e| e.panic());
        Self {
            state_version: STATE_VERSION,
            owner_id,
            outlayer_contract_id,
            init_worker_account,
            root_ca_der,
            policy: Policy::default(),
            key_allowance: access_key::DEFAULT_ALLOWANCE,
            worker_count: 0,
            measurements_count: 0,
            collateral_count: 0,
            sweep_index: 0,
        }
    }
}

impl Register {
    fn assert_owner(&self) -> Result<(), OwnerError> {
        Ok(kit::owner::check(&self.owner_id)?)
    }
}
