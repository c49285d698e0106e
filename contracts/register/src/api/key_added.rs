//! What follows from a registration on the account itself: the key is there, or the registration is gone.

use near_sdk::json_types::U64;
use near_sdk::serde::Serialize;
use near_sdk::{env, near, Promise, PublicKey};

use crate::events::{Event, Gone};
use crate::money;
use crate::storage::WORKERS;
use crate::worker::Worker;
use crate::{access_key, Register, RegisterExt};

#[derive(Serialize)]
#[serde(crate = "near_sdk::serde")]
struct OnKeyAdded<'a> {
    public_key: &'a PublicKey,
    seen_block_time: U64,
}

#[near]
impl Register {
    /// Without the key on the account the registration goes, and its deposit back: the worker can then register anew. Returns whether
    /// the key is there. A key that cannot be put is one that somebody else put there (nothing here does), or, for a renewal, one that
    /// somebody took away; a panic would keep the record, so this never fails.
    #[private]
    pub fn on_key_added(&mut self, public_key: PublicKey, seen_block_time: U64) -> bool {
        let added = env::promise_result_checked(0, 0).is_ok();
        let worker = access_key::raw(&public_key).and_then(|raw| WORKERS.get(&raw));
        // Revoked or renewed meanwhile: that has had its own consequences.
        let Some(worker) = worker.filter(|worker| worker.seen_block_time_ns == seen_block_time.0) else { return false };
        if !added {
            self.unlist(&worker);
            money::pay(&worker.payer, worker.deposit(&self.outlayer_contract_id));
            Event::WorkerDropped(Gone::now(public_key)).emit();
            return false;
        }
        let view = [worker.view(env::block_timestamp())];
        let event = if worker.renewals == 0 { Event::WorkerRegistered(view) } else { Event::WorkerRenewed(view) };
        event.emit();
        true
    }
}

impl Register {
    pub(crate) fn put_key(&self, worker: &Worker, renews: bool) -> Promise {
        let public_key = worker.near_key();
        let args = OnKeyAdded { public_key: &public_key, seen_block_time: worker.seen_block_time_ns.into() };
        let callback = ("on_key_added", serde_json::to_vec(&args).unwrap_or_default());
        access_key::put(public_key, renews, self.key_allowance, &self.outlayer_contract_id, callback)
    }
}
