//! Secrets: stored, replaced, deleted and looked up by who owns them.

use kit::roster::Roster;
use kit::storage::{record_bytes, storage_cost};
use near_sdk::json_types::U128;
use near_sdk::{env, near, AccountId};

use crate::api::views::page_size;
use crate::error::{ProjectError, SecretError};
use crate::projects;
use crate::secrets::{
    check_encrypted, check_profile, one_accessor, owner_id, AccessCondition, Secret, SecretAccessor, SecretInfo, SecretKey, SecretView,
};
use crate::storage::{Tag, PROJECTS, SECRETS};
use crate::{money, Outlayer, OutlayerExt};

#[near]
impl Outlayer {
    /// Stores or replaces the caller's secrets. The deposit is the stake of their bytes; what is attached beyond goes back.
    #[payable]
    #[handle_result]
    #[allow(clippy::too_many_arguments)] // one argument is one field of the JSON that callers send
    pub fn store_secrets(
        &mut self,
        accessor: Option<SecretAccessor>,
        repo: Option<String>,
        branch: Option<String>,
        profile: String,
        encrypted_secrets_base64: String,
        access: AccessCondition,
        vault_id: Option<AccountId>,
    ) -> Result<(), SecretError> {
        self.assert_running()?;
        let owner = env::predecessor_account_id();
        let accessor = one_accessor(accessor, repo, branch)?;
        assert_project_exists(&accessor)?;
        check_profile(&profile)?;
        check_encrypted(&encrypted_secrets_base64)?;
        access.check()?;
        let bytes_before = env::storage_usage();
        put(SecretKey { accessor, profile, owner: owner.clone() }, encrypted_secrets_base64, access, vault_id);
        Ok(money::settle_storage(bytes_before, &owner)?)
    }

    /// Deletes the caller's secrets and gives their deposit back.
    #[handle_result]
    pub fn delete_secrets(&mut self, accessor: SecretAccessor, profile: String) -> Result<(), SecretError> {
        let owner = env::predecessor_account_id();
        let key = SecretKey { accessor: accessor.canonical()?, profile, owner: owner.clone() };
        let bytes_before = env::storage_usage();
        if !SECRETS.remove(&key.id()) {
            return Err(SecretError::NotFound { owner, profile: key.profile });
        }
        let mut of_owner = secrets_of(&owner);
        of_owner.remove(&key.id());
        of_owner.save();
        let mut profiles = profiles_of(&owner, &key.accessor);
        profiles.remove(key.profile.as_bytes());
        profiles.save();
        Ok(money::settle_storage(bytes_before, &owner)?)
    }

    /// Replaces the access rule; a longer one needs a deposit for the difference.
    #[payable]
    #[handle_result]
    pub fn update_access(&mut self, accessor: SecretAccessor, profile: String, new_access: AccessCondition) -> Result<(), SecretError> {
        let owner = env::predecessor_account_id();
        new_access.check()?;
        let key = SecretKey { accessor: accessor.canonical()?, profile, owner: owner.clone() };
        let bytes_before = env::storage_usage();
        let Some(mut secret) = SECRETS.get(&key.id()) else {
            return Err(SecretError::NotFound { owner, profile: key.profile });
        };
        secret.access = new_access;
        secret.updated_ns = env::block_timestamp();
        SECRETS.put(&key.id(), &secret);
        Ok(money::settle_storage(bytes_before, &owner)?)
    }

    /// A repository with a branch falls back to the same repository without one.
    #[handle_result]
    pub fn get_secrets(&self, accessor: SecretAccessor, profile: String, owner: AccountId) -> Result<Option<SecretView>, SecretError> {
        let accessor = accessor.canonical()?;
        let exact = SecretKey { accessor: accessor.clone(), profile: profile.clone(), owner: owner.clone() };
        let found = SECRETS.get(&exact.id()).or_else(|| match accessor {
            SecretAccessor::Repo { repo, branch: Some(_) } => {
                let accessor = SecretAccessor::Repo { repo, branch: None };
                SECRETS.get(&SecretKey { accessor, profile, owner }.id())
            }
            _ => None,
        });
        Ok(found.map(|secret| {
            let deposit = deposit_of(&secret);
            secret.view(deposit)
        }))
    }

    #[handle_result]
    pub fn secrets_exist(&self, accessor: SecretAccessor, profile: String, owner: AccountId) -> Result<bool, SecretError> {
        Ok(SECRETS.has(&SecretKey { accessor: accessor.canonical()?, profile, owner }.id()))
    }

    /// An account's secrets, without what is sealed.
    pub fn list_user_secrets(&self, account_id: AccountId, from_index: Option<u64>, limit: Option<u64>) -> Vec<SecretInfo> {
        let ids = secrets_of(&account_id).page(from_index.unwrap_or(0), page_size(limit));
        let secrets = ids.iter().filter_map(|id| SECRETS.get(id));
        secrets
            .map(|secret| {
                let deposit = deposit_of(&secret);
                secret.info(deposit)
            })
            .collect()
    }

    /// The profiles an owner keeps under exactly this accessor.
    #[handle_result]
    pub fn list_profiles(
        &self,
        owner: AccountId,
        accessor: SecretAccessor,
        from_index: Option<u64>,
        limit: Option<u64>,
    ) -> Result<Vec<String>, SecretError> {
        let page = profiles_of(&owner, &accessor.canonical()?).page(from_index.unwrap_or(0), page_size(limit));
        Ok(page.into_iter().filter_map(|profile| String::from_utf8(profile).ok()).collect())
    }

    /// The deposit that storing these secrets needs; for some that exist already, what they hold in all once replaced.
    #[handle_result]
    pub fn estimate_storage_cost(
        &self,
        accessor: SecretAccessor,
        profile: String,
        owner: AccountId,
        encrypted_secrets_base64: String,
        access: AccessCondition,
        vault_id: Option<AccountId>,
    ) -> Result<U128, SecretError> {
        let key = SecretKey { accessor: accessor.canonical()?, profile, owner };
        let lists = if SECRETS.has(&key.id()) { list_bytes(&key) } else { next_list_bytes(&key) };
        let secret = sealed(key, encrypted_secrets_base64, access, vault_id, 0);
        Ok(storage_cost(record_bytes(32, &secret) + lists).into())
    }
}

fn put(key: SecretKey, encrypted_base64: String, access: AccessCondition, vault_id: Option<AccountId>) {
    let id = key.id();
    let now = env::block_timestamp();
    let (owner, accessor, profile) = (key.owner.clone(), key.accessor.clone(), key.profile.clone());
    let replaced = SECRETS.get(&id);
    let created_ns = replaced.as_ref().map_or(now, |secret| secret.created_ns);
    SECRETS.put(&id, &sealed(key, encrypted_base64, access, vault_id, created_ns));
    if replaced.is_some() {
        return;
    }
    let mut of_owner = secrets_of(&owner);
    of_owner.insert(&id);
    of_owner.save();
    let mut profiles = profiles_of(&owner, &accessor);
    profiles.insert(profile.as_bytes());
    profiles.save();
}

fn sealed(key: SecretKey, encrypted_base64: String, access: AccessCondition, vault_id: Option<AccountId>, created_ns: u64) -> Secret {
    Secret { key, encrypted_base64, access, vault_id, created_ns, updated_ns: env::block_timestamp() }
}

fn assert_project_exists(accessor: &SecretAccessor) -> Result<(), SecretError> {
    let SecretAccessor::Project { project_id } = accessor else { return Ok(()) };
    projects::check_id(project_id)?;
    if PROJECTS.has(&projects::record_id(project_id)) {
        return Ok(());
    }
    Err(ProjectError::NotFound(project_id.clone()).into())
}

fn secrets_of(owner: &AccountId) -> Roster {
    Roster::open(Tag::SecretsOfOwner as u8, &owner_id(owner))
}

fn profiles_of(owner: &AccountId, accessor: &SecretAccessor) -> Roster {
    Roster::open(Tag::ProfilesOfAccessor as u8, &SecretKey::accessor_id(owner, accessor))
}

fn next_list_bytes(key: &SecretKey) -> u64 {
    secrets_of(&key.owner).bytes_of_next(32) + profiles_of(&key.owner, &key.accessor).bytes_of_next(key.profile.len())
}

/// What one secret holds in its two lists, their lengths aside.
fn list_bytes(key: &SecretKey) -> u64 {
    Roster::bytes_of_item(32) + Roster::bytes_of_item(key.profile.len())
}

/// The stake of one secret's bytes.
fn deposit_of(secret: &Secret) -> u128 {
    storage_cost(record_bytes(32, secret) + list_bytes(&secret.key))
}
