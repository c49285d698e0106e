//! Secrets: kept sealed, under who may open them. The contract keeps access rules and the keystore judges them.

use kit::text::shorten;
use near_sdk::json_types::U128;
use near_sdk::{borsh, env, near, AccountId, NearToken};

use crate::error::SecretError;
use crate::{source, text};

/// Which code may use the secrets. Variants are appended, never reordered: they are part of storage keys.
#[near(serializers = [borsh, json])]
#[derive(Clone, Debug, PartialEq)]
pub enum SecretAccessor {
    Repo { repo: String, branch: Option<String> },
    WasmHash { hash: String },
    Project { project_id: String },
}

#[near(serializers = [borsh, json])]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LogicOperator {
    And,
    Or,
}

#[near(serializers = [borsh, json])]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ComparisonOperator {
    Gte,
    Lte,
    Gt,
    Lt,
    Eq,
    Ne,
}

/// Who may have the secrets opened. Variants are appended, never reordered: they are stored.
#[near(serializers = [borsh, json])]
#[derive(Clone, Debug, PartialEq)]
pub enum AccessCondition {
    AllowAll,
    Whitelist {
        accounts: Vec<AccountId>,
    },
    /// The whole account id must match; the keystore compiles it.
    AccountPattern {
        pattern: String,
    },
    NearBalance {
        operator: ComparisonOperator,
        value: NearToken,
    },
    FtBalance {
        contract: AccountId,
        operator: ComparisonOperator,
        value: U128,
    },
    NftOwned {
        contract: AccountId,
        token_id: Option<String>,
    },
    DaoMember {
        dao_contract: AccountId,
        role: String,
    },
    Logic {
        operator: LogicOperator,
        conditions: Vec<AccessCondition>,
    },
    Not {
        condition: Box<AccessCondition>,
    },
}

#[near(serializers = [borsh])]
#[derive(Clone, Debug, PartialEq)]
pub struct SecretKey {
    pub accessor: SecretAccessor,
    pub profile: String,
    pub owner: AccountId,
}

#[near(serializers = [borsh])]
#[derive(Clone, Debug, PartialEq)]
pub struct Secret {
    pub key: SecretKey,
    pub encrypted_base64: String,
    pub access: AccessCondition,
    pub vault_id: Option<AccountId>,
    pub created_ns: u64,
    pub updated_ns: u64,
}

/// `get_secrets`.
#[near(serializers = [json])]
#[derive(Clone, Debug, PartialEq)]
pub struct SecretView {
    pub encrypted_secrets: String,
    pub access: AccessCondition,
    pub created_at: u64,
    pub updated_at: u64,
    pub storage_deposit: U128,
    pub accessor: SecretAccessor,
    pub profile: String,
    pub owner: AccountId,
    pub vault_id: Option<AccountId>,
}

/// One line of `list_user_secrets`.
#[near(serializers = [json])]
#[derive(Clone, Debug, PartialEq)]
pub struct SecretInfo {
    pub accessor: SecretAccessor,
    pub profile: String,
    pub created_at: u64,
    pub updated_at: u64,
    pub storage_deposit: U128,
    pub access: AccessCondition,
}

pub const MAX_PROFILE_BYTES: usize = 64;
pub const MAX_BRANCH_BYTES: usize = 255;
pub const MAX_ENCRYPTED_BYTES: usize = 32 * 1024;
pub const MAX_PATTERN_BYTES: usize = 256;
pub const MAX_ROLE_BYTES: usize = 64;
pub const MAX_TOKEN_ID_BYTES: usize = 128;
pub const MAX_ACCOUNTS: usize = 100;
pub const MAX_CONDITIONS: usize = 32;
pub const MAX_DEPTH: usize = 4;

impl SecretKey {
    /// The record's key, of one length whatever the names.
    pub fn id(&self) -> [u8; 32] {
        digest(&borsh::to_vec(self).unwrap_or_default())
    }

    /// Names the list of an owner's profiles under one accessor.
    pub fn accessor_id(owner: &AccountId, accessor: &SecretAccessor) -> [u8; 32] {
        digest(&borsh::to_vec(&(owner, accessor)).unwrap_or_default())
    }
}

/// Names the list of an owner's secrets.
pub fn owner_id(owner: &AccountId) -> [u8; 32] {
    digest(owner.as_bytes())
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    env::sha256_array(bytes)
}

impl SecretAccessor {
    /// The one spelling under which it is stored and looked up.
    pub fn canonical(self) -> Result<Self, SecretError> {
        match self {
            Self::Repo { repo, branch } => {
                let named = source::canonical_repo(&repo);
                let repo = named.map_err(|_| malformed("repo", &repo, "it is written github.com/owner/name"))?;
                Ok(Self::Repo { repo, branch: branch.map(check_branch).transpose()? })
            }
            Self::WasmHash { hash } => match source::canonical_hash(&hash) {
                Ok(hash) => Ok(Self::WasmHash { hash }),
                Err(_) => Err(malformed("hash", &hash, "it is the sha256 of the wasm, 64 hex digits")),
            },
            Self::Project { project_id } => Ok(Self::Project { project_id }),
        }
    }
}

/// The accessor, or the older pair of repository and branch.
pub fn one_accessor(accessor: Option<SecretAccessor>, repo: Option<String>, branch: Option<String>) -> Result<SecretAccessor, SecretError> {
    match (accessor, repo) {
        (Some(accessor), None) => accessor.canonical(),
        (None, Some(repo)) => SecretAccessor::Repo { repo, branch }.canonical(),
        (None, None) => Err(SecretError::AccessorMissing),
        (Some(_), Some(_)) => Err(SecretError::AccessorTwice),
    }
}

pub fn check_profile(profile: &str) -> Result<(), SecretError> {
    if text::is_label(profile, MAX_PROFILE_BYTES) {
        return Ok(());
    }
    Err(malformed("profile", profile, "1 to 64 letters, digits, '.', '_' or '-'"))
}

/// Standard base64 with padding; what it holds is the keystore's matter.
pub fn check_encrypted(encrypted: &str) -> Result<(), SecretError> {
    if encrypted.is_empty() || encrypted.len() > MAX_ENCRYPTED_BYTES {
        return Err(SecretError::Length { bytes: encrypted.len(), max: MAX_ENCRYPTED_BYTES });
    }
    let digits = encrypted.trim_end_matches('=');
    let padded = encrypted.len() % 4 == 0 && encrypted.len() - digits.len() <= 2;
    if padded && digits.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/') {
        return Ok(());
    }
    Err(malformed("encrypted_secrets_base64", encrypted, "it is standard base64 with padding"))
}

impl AccessCondition {
    /// Bounds the rule in width, depth and length.
    pub fn check(&self) -> Result<(), SecretError> {
        let mut conditions_left = MAX_CONDITIONS;
        self.check_below(MAX_DEPTH, &mut conditions_left)
    }

    fn check_below(&self, depth_left: usize, conditions_left: &mut usize) -> Result<(), SecretError> {
        let Some(depth_left) = depth_left.checked_sub(1) else {
            return Err(SecretError::AccessTooBig { what: "levels", max: MAX_DEPTH });
        };
        let Some(left) = conditions_left.checked_sub(1) else {
            return Err(SecretError::AccessTooBig { what: "conditions", max: MAX_CONDITIONS });
        };
        *conditions_left = left;
        match self {
            Self::AllowAll | Self::NearBalance { .. } | Self::FtBalance { .. } => Ok(()),
            Self::Whitelist { accounts } if accounts.is_empty() => Err(SecretError::AccessEmpty("accounts")),
            Self::Whitelist { accounts } => at_most("accounts", accounts.len(), MAX_ACCOUNTS),
            Self::AccountPattern { pattern } => check_text("pattern", pattern, MAX_PATTERN_BYTES),
            Self::NftOwned { token_id, .. } => {
                token_id.as_ref().map_or(Ok(()), |token_id| check_text("token_id", token_id, MAX_TOKEN_ID_BYTES))
            }
            Self::DaoMember { role, .. } => check_text("role", role, MAX_ROLE_BYTES),
            Self::Logic { conditions, .. } if conditions.is_empty() => Err(SecretError::AccessEmpty("conditions")),
            Self::Logic { conditions, .. } => {
                conditions.iter().try_for_each(|condition| condition.check_below(depth_left, conditions_left))
            }
            Self::Not { condition } => condition.check_below(depth_left, conditions_left),
        }
    }
}

fn at_most(what: &'static str, count: usize, max: usize) -> Result<(), SecretError> {
    if count <= max {
        return Ok(());
    }
    Err(SecretError::AccessTooBig { what, max })
}

fn check_text(field: &'static str, value: &str, max: usize) -> Result<(), SecretError> {
    if value.is_empty() {
        return Err(malformed(field, value, "it is empty"));
    }
    at_most("characters in one of its texts", value.len(), max)
}

fn check_branch(branch: String) -> Result<String, SecretError> {
    let allowed = |b: u8| b.is_ascii_graphic() && !b"\"'\\<>`".contains(&b);
    if !branch.is_empty() && branch.len() <= MAX_BRANCH_BYTES && branch.bytes().all(allowed) {
        return Ok(branch);
    }
    Err(malformed("branch", &branch, "1 to 255 printable characters, or null for every branch"))
}

fn malformed(field: &'static str, value: &str, rule: &'static str) -> SecretError {
    SecretError::Malformed { field, value: shorten(value, 80), rule }
}

impl Secret {
    pub fn view(self, storage_deposit: u128) -> SecretView {
        SecretView {
            encrypted_secrets: self.encrypted_base64,
            access: self.access,
            created_at: self.created_ns,
            updated_at: self.updated_ns,
            storage_deposit: storage_deposit.into(),
            accessor: self.key.accessor,
            profile: self.key.profile,
            owner: self.key.owner,
            vault_id: self.vault_id,
        }
    }

    pub fn info(self, storage_deposit: u128) -> SecretInfo {
        SecretInfo {
            accessor: self.key.accessor,
            profile: self.key.profile,
            created_at: self.created_ns,
            updated_at: self.updated_ns,
            storage_deposit: storage_deposit.into(),
            access: self.access,
        }
    }
}
