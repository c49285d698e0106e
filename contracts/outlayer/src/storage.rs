//! The trie: one tag byte a table. Tags are appended, never reordered.

use kit::storage::Table;

use crate::outcome::Outcome;
use crate::output::StoredOutput;
use crate::projects::{Project, Version};
use crate::request::Request;
use crate::secrets::Secret;

#[repr(u8)]
#[derive(Clone, Copy)]
pub enum Tag {
    Requests = 0,
    Inputs = 1,
    Outputs = 2,
    PendingIds = 3,
    Outcomes = 4,
    Claims = 5,
    Secrets = 6,
    SecretsOfOwner = 7,
    ProfilesOfAccessor = 8,
    Projects = 9,
    ProjectsOfOwner = 10,
    Versions = 11,
    VersionsOfProject = 12,
}

/// By request id.
pub const REQUESTS: Table<Request> = Table::new(Tag::Requests as u8);
/// Inputs that are not empty, by request id, so that reading a request costs the same whatever its input.
pub const INPUTS: Table<String> = Table::new(Tag::Inputs as u8);
/// Outputs too large to travel with the resume, by request id.
pub const OUTPUTS: Table<StoredOutput> = Table::new(Tag::Outputs as u8);
/// By request id.
pub const OUTCOMES: Table<Outcome> = Table::new(Tag::Outcomes as u8);
/// Refunds that could not be delivered, in yoctoNEAR, by account id.
pub const CLAIMS: Table<u128> = Table::new(Tag::Claims as u8);
/// By `SecretKey::id`.
pub const SECRETS: Table<Secret> = Table::new(Tag::Secrets as u8);
/// By the sha256 of the project id.
pub const PROJECTS: Table<Project> = Table::new(Tag::Projects as u8);
/// By `Version::id`.
pub const VERSIONS: Table<Version> = Table::new(Tag::Versions as u8);

/// The key of a request's records; big endian, so that a dump of the state reads in order.
pub fn id_key(request_id: u64) -> [u8; 8] {
    request_id.to_be_bytes()
}
