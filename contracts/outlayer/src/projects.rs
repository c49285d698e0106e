//! Projects: a name under an account that stands for a source, and a stable id for the data of its versions.

use kit::text::shorten;
use near_sdk::json_types::U128;
use near_sdk::{env, near, AccountId};

use crate::error::ProjectError;
use crate::source::CodeSource;

/// An account id in 64 bytes whatever its length, so that a transfer changes no storage.
#[near(serializers = [borsh])]
#[derive(Clone, Debug, PartialEq)]
pub struct PaddedAccount([u8; 64]);

#[near(serializers = [borsh])]
#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    pub number: u64,
    pub owner: PaddedAccount,
    pub name: String,
    /// `Version::id`, so that another active version changes no storage; zeros while it rests.
    pub active_version: [u8; 32],
    pub created_ns: u64,
}

#[near(serializers = [borsh])]
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    pub source: CodeSource,
    pub added_ns: u64,
}

/// `get_project`.
#[near(serializers = [json])]
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectView {
    pub uuid: String,
    pub owner: AccountId,
    pub name: String,
    pub project_id: String,
    pub active_version: String,
    pub created_at: u64,
    pub storage_deposit: U128,
}

/// `get_version` of a project; `wasm_hash` is the version's key, as the deployed contract names it.
#[near(serializers = [json])]
#[derive(Clone, Debug, PartialEq)]
pub struct VersionView {
    pub wasm_hash: String,
    pub source: CodeSource,
    pub added_at: u64,
    pub is_active: bool,
}

pub const MAX_NAME_BYTES: usize = 64;

/// So that a project can be deleted in one call.
pub const MAX_VERSIONS: u32 = 100;

/// An account id of 64 bytes, a slash and a name.
const MAX_ID_BYTES: usize = 64 + 1 + MAX_NAME_BYTES;

impl PaddedAccount {
    pub fn new(account_id: &AccountId) -> Self {
        let mut padded = [0; 64];
        padded[..account_id.len()].copy_from_slice(account_id.as_bytes());
        Self(padded)
    }

    pub fn name(&self) -> String {
        String::from_utf8_lossy(&self.0).trim_end_matches('\0').to_string()
    }

    /// The account id; what was padded was one.
    pub fn account_id(&self) -> AccountId {
        self.name().parse().unwrap_or_else(|_| env::panic_str("a project's owner is stored that is no account id"))
    }
}

impl Project {
    /// Nobody's name may be put on code without consent: a project that has changed hands runs again once its new owner makes a version active.
    pub fn rest(&mut self) {
        self.active_version = [0; 32];
    }

    pub fn is_resting(&self) -> bool {
        self.active_version == [0; 32]
    }

    pub fn uuid(&self) -> String {
        format!("p{:016x}", self.number)
    }

    pub fn id(&self) -> String {
        format!("{}/{}", self.owner.name(), self.name)
    }

    /// Names the list of its versions.
    pub fn versions_id(&self) -> [u8; 32] {
        env::sha256_array(self.uuid().as_bytes())
    }

    pub fn version_id(&self, version_key: &str) -> [u8; 32] {
        env::sha256_array(format!("{}/{version_key}", self.uuid()).as_bytes())
    }
}

impl Version {
    pub fn view(self, is_active: bool) -> VersionView {
        VersionView { wasm_hash: self.source.version_key(), source: self.source, added_at: self.added_ns, is_active }
    }
}

/// The key of a project's record.
pub fn record_id(project_id: &str) -> [u8; 32] {
    env::sha256_array(project_id.as_bytes())
}

/// Names the list of an owner's projects.
pub fn owner_id(owner: &AccountId) -> [u8; 32] {
    env::sha256_array(owner.as_bytes())
}

pub fn check_name(name: &str) -> Result<(), ProjectError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if !name.is_empty() && name.len() <= MAX_NAME_BYTES && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(ProjectError::Name { value: shorten(name, 80) })
}

pub fn check_id(project_id: &str) -> Result<(), ProjectError> {
    let well_formed = project_id.len() <= MAX_ID_BYTES
        && project_id.split_once('/').is_some_and(|(owner, name)| owner.parse::<AccountId>().is_ok() && check_name(name).is_ok());
    if well_formed {
        return Ok(());
    }
    Err(ProjectError::Id { value: shorten(project_id, 150) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use near_sdk::borsh;

    #[test]
    fn a_padded_account_has_one_length_and_keeps_its_name() {
        for name in ["ab", "alice.near", &"a".repeat(64)] {
            let account: AccountId = name.parse().unwrap();
            let padded = PaddedAccount::new(&account);
            assert_eq!(borsh::to_vec(&padded).unwrap().len(), 64);
            assert_eq!(padded.account_id(), account);
        }
    }

    #[test]
    fn a_project_is_named_after_its_owner() {
        let owner = PaddedAccount::new(&"alice.near".parse().unwrap());
        let project = Project { number: 26, owner, name: "app".into(), active_version: [0; 32], created_ns: 0 };
        assert_eq!((project.id().as_str(), project.uuid().as_str()), ("alice.near/app", "p000000000000001a"));
        assert_eq!(check_id(&project.id()), Ok(()));
    }

    #[test]
    fn names_and_ids_of_other_shapes_are_refused() {
        for name in ["", "a b", "a/b", "ü", &"x".repeat(65)] {
            assert!(check_name(name).is_err(), "{name}");
        }
        for id in ["app", "/app", "a.near/", "A.near/app", "a.near/b/c"] {
            assert!(check_id(id).is_err(), "{id}");
        }
    }
}
