//! Workers go: revoked by the owner, or expired and found by anybody.

use kit::roster::Roster;
use near_sdk::{env, near, PublicKey};

use crate::error::WorkerError;
use crate::events::{Event, Gone};
use crate::money::{self, Till};
use crate::storage::{Tag, REVOKED, WORKERS};
use crate::worker::{tombstone_deposit, Tombstone, Worker};
use crate::{access_key, Register, RegisterExt};

/// How many workers a registration looks at; each that has expired costs it about 2 Tgas.
/// Measured by `test_every_path_with_a_real_quote_burns_less_than_200_tgas`.
pub const EXAMINED_AT_REGISTRATION: u32 = 5;

const EXAMINED_BY_DEFAULT: u32 = 20;
const MOST_EXAMINED: u32 = 60;

#[near]
impl Register {
    /// Owner: takes the key off the account and leaves a tombstone, also for a key that never was registered. A worker's deposit pays for
    /// its tombstone and the rest of it goes back; else the owner attaches the deposit.
    #[payable]
    #[handle_result]
    pub fn revoke_worker(&mut self, public_key: PublicKey) -> Result<(), WorkerError> {
        self.assert_owner()?;
        let raw = access_key::raw(&public_key).ok_or(WorkerError::Curve)?;
        if let Some(tombstone) = REVOKED.get(&raw) {
            return Err(WorkerError::Revoked { revoked_ns: tombstone.revoked_ns });
        }
        let mut till = Till::open();
        if let Some(worker) = WORKERS.get(&raw) {
            self.unlist(&worker);
            let rest = worker.deposit(&self.outlayer_contract_id).saturating_sub(tombstone_deposit());
            till.give_back(&worker.payer, rest);
        } else {
            till.charge(tombstone_deposit());
        }
        REVOKED.put(&raw, &Tombstone { revoked_ns: env::block_timestamp() });
        till.settle()?;
        access_key::remove(public_key.clone());
        Event::WorkerRevoked(Gone::now(public_key)).emit();
        Ok(())
    }

    /// Anybody: looks at `limit` workers (20 unless said, 60 at most), going on where the last search ended, and takes those that have
    /// expired off the account. Returns how many went; their deposits go to who paid them.
    pub fn remove_expired(&mut self, limit: Option<u32>) -> u32 {
        self.sweep(limit.unwrap_or(EXAMINED_BY_DEFAULT).min(MOST_EXAMINED))
    }
}

impl Register {
    pub(crate) fn workers(&self) -> Roster {
        Roster::with_len(Tag::WorkerKeys as u8, self.worker_count)
    }

    pub(crate) fn list(&mut self, worker: &Worker) {
        WORKERS.put(&worker.public_key, worker);
        let mut all = self.workers();
        all.insert(&worker.public_key);
        self.worker_count = all.len();
        let mut of_rtmr3 = keys_of_rtmr3(&worker.measurements.rtmr3);
        of_rtmr3.insert(&worker.public_key);
        of_rtmr3.save();
    }

    pub(crate) fn unlist(&mut self, worker: &Worker) {
        WORKERS.remove(&worker.public_key);
        let mut all = self.workers();
        all.remove(&worker.public_key);
        self.worker_count = all.len();
        let mut of_rtmr3 = keys_of_rtmr3(&worker.measurements.rtmr3);
        of_rtmr3.remove(&worker.public_key);
        of_rtmr3.save();
    }

    /// Removes the expired among the next so many workers; every worker's turn comes.
    pub(crate) fn sweep(&mut self, examined: u32) -> u32 {
        let mut removed = 0;
        for _ in 0..examined.min(self.worker_count) {
            if self.sweep_index >= self.worker_count {
                self.sweep_index = 0;
            }
            let next = self.workers().page(self.sweep_index.into(), 1);
            match next.first().and_then(|key| WORKERS.get(key)) {
                // The last of the list takes its place, so the index stays.
                Some(worker) if worker.is_expired(env::block_timestamp()) => {
                    self.expire(&worker);
                    removed += 1;
                }
                _ => self.sweep_index += 1,
            }
        }
        removed
    }

    fn expire(&mut self, worker: &Worker) {
        self.unlist(worker);
        money::pay(&worker.payer, worker.deposit(&self.outlayer_contract_id));
        access_key::remove(worker.near_key());
        Event::WorkerExpired(Gone::now(worker.near_key())).emit();
    }
}

pub fn keys_of_rtmr3(rtmr3: &[u8; 48]) -> Roster {
    Roster::open(Tag::KeysOfRtmr3 as u8, &env::sha256_array(rtmr3))
}
