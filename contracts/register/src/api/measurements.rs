//! Which software may register: the owner approves five measurements at a time.

use kit::roster::Roster;
use kit::storage::storage_cost;
use near_sdk::{env, near};

use crate::error::MeasurementsError;
use crate::events::Event;
use crate::measurements::{Measurements, MeasurementsHex};
use crate::money::{self, Till};
use crate::storage::Tag;
use crate::{Register, RegisterExt};

use super::views::page_size;

#[near]
impl Register {
    /// The five as arguments, or in one object `measurements`. Pays for their storage; what is too much comes back.
    #[payable]
    #[handle_result]
    pub fn add_approved_measurements(
        &mut self,
        mrtd: Option<String>,
        rtmr0: Option<String>,
        rtmr1: Option<String>,
        rtmr2: Option<String>,
        rtmr3: Option<String>,
        measurements: Option<MeasurementsHex>,
    ) -> Result<(), MeasurementsError> {
        self.assert_owner()?;
        let added = named([mrtd, rtmr0, rtmr1, rtmr2, rtmr3], measurements)?;
        let (mut till, bytes_before) = (Till::open(), env::storage_usage());
        let mut approved = self.approved();
        if !approved.insert(&added.joined()) {
            return Err(MeasurementsError::Approved);
        }
        self.measurements_count = approved.len();
        till.charge(storage_cost(env::storage_usage() - bytes_before));
        till.settle()?;
        Event::MeasurementsAdded([added.hex()]).emit();
        Ok(())
    }

    /// Workers that registered with them stay until they expire or are revoked. The deposit goes to the owner.
    #[handle_result]
    pub fn remove_approved_measurements(
        &mut self,
        mrtd: Option<String>,
        rtmr0: Option<String>,
        rtmr1: Option<String>,
        rtmr2: Option<String>,
        rtmr3: Option<String>,
        measurements: Option<MeasurementsHex>,
    ) -> Result<(), MeasurementsError> {
        self.assert_owner()?;
        let removed = named([mrtd, rtmr0, rtmr1, rtmr2, rtmr3], measurements)?;
        let bytes_before = env::storage_usage();
        let mut approved = self.approved();
        if !approved.remove(&removed.joined()) {
            return Err(MeasurementsError::NotThere);
        }
        self.measurements_count = approved.len();
        money::pay(&self.owner_id, storage_cost(bytes_before - env::storage_usage()));
        Event::MeasurementsRemoved([removed.hex()]).emit();
        Ok(())
    }

    pub fn get_approved_measurements(&self, from_index: Option<u64>, limit: Option<u64>) -> Vec<MeasurementsHex> {
        let page = self.approved().page(from_index.unwrap_or(0), page_size(limit));
        page.iter().filter_map(|joined| Measurements::split(joined)).map(|measurements| measurements.hex()).collect()
    }
}

impl Register {
    pub(crate) fn approved(&self) -> Roster {
        Roster::with_len(Tag::Measurements as u8, self.measurements_count)
    }
}

fn named(five: [Option<String>; 5], together: Option<MeasurementsHex>) -> Result<Measurements, MeasurementsError> {
    match (five, together) {
        ([Some(mrtd), Some(rtmr0), Some(rtmr1), Some(rtmr2), Some(rtmr3)], None) => {
            Measurements::parse(&MeasurementsHex { mrtd, rtmr0, rtmr1, rtmr2, rtmr3 })
        }
        ([None, None, None, None, None], Some(together)) => Measurements::parse(&together),
        _ => Err(MeasurementsError::Missing),
    }
}
