//! The part of the oracle's interface that this client uses.

use near_sdk::near;

/// Code in a git repository, or a wasm with its hash.
#[near(serializers = [borsh, json])]
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    GitHub { repo: String, commit: String, build_target: Option<String> },
    WasmUrl { url: String, hash: String, build_target: Option<String> },
}

/// What the guest may use; what is left out has the oracle's default. It decides the price (`estimate_execution_cost`).
#[near(serializers = [json])]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResourceLimits {
    pub max_instructions: Option<u64>,
    pub max_memory_mb: Option<u32>,
    pub max_execution_seconds: Option<u64>,
}

/// Whose secrets the guest gets, under which profile.
#[near(serializers = [json])]
#[derive(Clone, Debug, PartialEq)]
pub struct SecretsRef {
    pub profile: String,
    pub account_id: near_sdk::AccountId,
}

/// How the output comes back: a string, base64 of the bytes, or a JSON value.
#[near(serializers = [json])]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ResponseFormat {
    Bytes,
    #[default]
    Text,
    Json,
}

/// The arguments of `request_execution`.
#[near(serializers = [json])]
#[derive(Clone, Debug)]
pub struct RequestExecution {
    pub source: Source,
    pub resource_limits: ResourceLimits,
    pub input_data: String,
    pub secrets_ref: Option<SecretsRef>,
    pub response_format: ResponseFormat,
    /// Who gets back what the run does not use.
    pub payer_account_id: near_sdk::AccountId,
}
