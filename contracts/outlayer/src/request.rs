//! A request: as callers send it, as it is kept, as events and views tell it.

use kit::text::shorten;
use near_sdk::json_types::U128;
use near_sdk::{near, AccountId, Gas};

use crate::error::RequestError;
use crate::limits::{Limits, ResourceLimits};
use crate::output::ResponseFormat;
use crate::pricing::Pricing;
use crate::source::{CodeSource, ExecutionSource};
use crate::{gas, text};

/// Whose secrets, under which profile.
#[near(serializers = [borsh, json])]
#[derive(Clone, Debug, PartialEq)]
pub struct SecretsRef {
    pub profile: String,
    pub account_id: AccountId,
}

/// `params` as callers send them; all may be left out.
#[near(serializers = [json])]
#[derive(Clone, Debug, Default)]
pub struct RequestParams {
    #[serde(default)]
    pub force_rebuild: bool,
    #[serde(default)]
    pub compile_only: bool,
    #[serde(default)]
    pub store_on_fastfs: bool,
    /// Taken from the project of the source, never from here: it opens that project's data.
    pub project_uuid: Option<String>,
    pub attached_usd: Option<U128>,
    #[serde(default)]
    pub use_bound_identity: bool,
}

/// What of the params is kept.
#[near(serializers = [borsh])]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flags {
    pub force_rebuild: bool,
    pub store_on_fastfs: bool,
    pub use_bound_identity: bool,
}

/// The project a source was resolved from.
#[near(serializers = [borsh])]
#[derive(Clone, Debug, PartialEq)]
pub struct ProjectRef {
    pub project_id: String,
    pub uuid: String,
    pub version_key: Option<String>,
}

/// A pending request. Its input has a record of its own.
#[near(serializers = [borsh])]
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub data_id: [u8; 32],
    pub signer_id: AccountId,
    pub predecessor_id: AccountId,
    pub payer_id: AccountId,
    pub source: CodeSource,
    pub project: Option<ProjectRef>,
    /// `None`: compile only.
    pub limits: Option<Limits>,
    /// The whole deposit of the call.
    pub payment: u128,
    /// The part of it that backs the input's bytes and cannot be charged.
    pub storage_deposit: u128,
    /// Prices when it was made: a later `set_pricing` does not touch it.
    pub pricing: Pricing,
    pub created_ns: u64,
    pub secrets_ref: Option<SecretsRef>,
    pub response_format: ResponseFormat,
    pub flags: Flags,
    pub input_bytes: u32,
    pub input_in_state: bool,
    /// The worker has announced progress since the yield began.
    pub progress_announced: bool,
}

/// Inputs of this length and more stay in state (the worker reads `get_request`) and need a storage deposit.
pub const MAX_EVENT_INPUT_BYTES: usize = 10_000;

/// A transaction holds 1.5 MB; removing the input when the request ends must fit the callback's gas.
pub const MAX_INPUT_BYTES: usize = 500_000;

/// A request may be cancelled by who made it after this time, and its yield is not renewed beyond.
pub const DEADLINE_NS: u64 = 600 * 1_000_000_000;

const MAX_PROFILE_BYTES: usize = 64;

impl Request {
    pub fn deadline_ns(&self) -> u64 {
        self.created_ns.saturating_add(DEADLINE_NS)
    }

    /// What the callback of its yield needs, whatever the answer.
    pub fn settlement_gas(&self) -> Gas {
        gas::settlement(self.input_bytes, &self.payer_id)
    }

    /// `request_data` of the event; the same names in `get_request`.
    pub fn data(&self, request_id: u64, input_data: String) -> RequestData {
        RequestData {
            request_id,
            sender_id: self.signer_id.clone(),
            predecessor_id: self.predecessor_id.clone(),
            code_source: self.source.clone(),
            resource_limits: self.limits.unwrap_or(Limits::DEFAULT),
            input_data: if self.input_in_state { String::new() } else { input_data },
            input_data_in_state: self.input_in_state,
            secrets_ref: self.secrets_ref.clone(),
            response_format: self.response_format,
            payment: self.payment.into(),
            attached_usd: 0.into(),
            timestamp: self.created_ns,
            compile_only: self.limits.is_none(),
            force_rebuild: self.flags.force_rebuild,
            store_on_fastfs: self.flags.store_on_fastfs,
            use_bound_identity: self.flags.use_bound_identity,
            project_uuid: self.project.as_ref().map(|project| project.uuid.clone()),
            project_id: self.project.as_ref().map(|project| project.project_id.clone()),
        }
    }

    pub fn view(self, request_id: u64, input_data: String, output_submitted: bool) -> RequestView {
        let data = RequestData { input_data, ..self.data(request_id, String::new()) };
        RequestView {
            data,
            data_id: self.data_id,
            payer_account_id: self.payer_id,
            execution_source: execution_source(&self.source, self.project),
            resolved_source: self.source,
            storage_deposit: self.storage_deposit.into(),
            deadline: self.created_ns.saturating_add(DEADLINE_NS),
            progress_announced: self.progress_announced,
            output_submitted,
        }
    }
}

fn execution_source(source: &CodeSource, project: Option<ProjectRef>) -> ExecutionSource {
    if let Some(ProjectRef { project_id, version_key, .. }) = project {
        return ExecutionSource::Project { project_id, version_key };
    }
    match source.clone() {
        CodeSource::GitHub { repo, commit, build_target } => ExecutionSource::GitHub { repo, commit, build_target },
        CodeSource::WasmUrl { url, hash, build_target } => ExecutionSource::WasmUrl { url, hash, build_target },
    }
}

/// What the event tells of a request.
#[near(serializers = [json])]
#[derive(Clone, Debug)]
pub struct RequestData {
    pub request_id: u64,
    /// Who signed the transaction.
    pub sender_id: AccountId,
    /// The contract or account that called.
    pub predecessor_id: AccountId,
    pub code_source: CodeSource,
    pub resource_limits: Limits,
    pub input_data: String,
    pub input_data_in_state: bool,
    pub secrets_ref: Option<SecretsRef>,
    pub response_format: ResponseFormat,
    pub payment: U128,
    pub attached_usd: U128,
    /// Block time, ns.
    pub timestamp: u64,
    pub compile_only: bool,
    pub force_rebuild: bool,
    pub store_on_fastfs: bool,
    pub use_bound_identity: bool,
    pub project_uuid: Option<String>,
    pub project_id: Option<String>,
}

/// `get_request`: what the event told, the input in every case, and what came later.
#[near(serializers = [json])]
#[derive(Clone, Debug)]
pub struct RequestView {
    #[serde(flatten)]
    pub data: RequestData,
    pub data_id: [u8; 32],
    pub payer_account_id: AccountId,
    pub execution_source: ExecutionSource,
    pub resolved_source: CodeSource,
    pub storage_deposit: U128,
    /// Block time, ns.
    pub deadline: u64,
    pub progress_announced: bool,
    pub output_submitted: bool,
}

/// Whether nothing is to be run.
pub fn is_compile_only(limits: Option<&ResourceLimits>, params: &RequestParams) -> bool {
    limits.is_none() || params.compile_only
}

/// Checks that need neither prices nor projects.
pub fn check_params(
    source: &CodeSource,
    params: &RequestParams,
    secrets_ref: Option<&SecretsRef>,
    input: &str,
    compile_only: bool,
) -> Result<(), RequestError> {
    if input.len() > MAX_INPUT_BYTES {
        return Err(RequestError::InputTooLong { bytes: input.len(), max: MAX_INPUT_BYTES });
    }
    if compile_only && !input.is_empty() {
        return Err(RequestError::InputWithoutRun { bytes: input.len() });
    }
    if params.force_rebuild && matches!(source, CodeSource::WasmUrl { .. }) {
        return Err(RequestError::NothingToRebuild);
    }
    if params.store_on_fastfs && !params.force_rebuild {
        return Err(RequestError::StoreWithoutRebuild);
    }
    if let Some(U128(value @ 1..)) = params.attached_usd {
        return Err(RequestError::AttachedUsd { value });
    }
    match secrets_ref {
        Some(secrets) if !text::is_label(&secrets.profile, MAX_PROFILE_BYTES) => {
            Err(RequestError::Profile { value: shorten(&secrets.profile, 80) })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wasm() -> CodeSource {
        CodeSource::WasmUrl { url: "https://x.org/a".into(), hash: "0".repeat(64), build_target: None }
    }

    fn check(params: &RequestParams, input: &str, compile_only: bool) -> Result<(), RequestError> {
        check_params(&wasm(), params, None, input, compile_only)
    }

    #[test]
    fn params_may_be_an_empty_object() {
        let params: RequestParams = serde_json::from_str("{}").unwrap();
        assert_eq!(check(&params, "in", false), Ok(()));
        assert!(is_compile_only(None, &params));
        assert!(!is_compile_only(Some(&ResourceLimits::default()), &params));
    }

    #[test]
    fn compiling_takes_no_input() {
        assert_eq!(check(&RequestParams::default(), "in", true), Err(RequestError::InputWithoutRun { bytes: 2 }));
        assert_eq!(check(&RequestParams::default(), "", true), Ok(()));
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        let rebuild = RequestParams { force_rebuild: true, ..Default::default() };
        assert_eq!(check(&rebuild, "", false), Err(RequestError::NothingToRebuild));
        let store = RequestParams { store_on_fastfs: true, ..Default::default() };
        assert_eq!(check(&store, "", false), Err(RequestError::StoreWithoutRebuild));
        let usd = RequestParams { attached_usd: Some(U128(5)), ..Default::default() };
        assert_eq!(check(&usd, "", false), Err(RequestError::AttachedUsd { value: 5 }));
    }

    #[test]
    fn an_input_above_the_bound_is_refused_with_both_figures() {
        let long = "x".repeat(MAX_INPUT_BYTES + 1);
        let refused = check(&RequestParams::default(), &long, false).unwrap_err().to_string();
        assert!(refused.contains("500001") && refused.contains("500000"), "{refused}");
    }

    #[test]
    fn a_profile_is_a_label() {
        let secrets = SecretsRef { profile: "a\"b".into(), account_id: "a.near".parse().unwrap() };
        let refused = check_params(&wasm(), &RequestParams::default(), Some(&secrets), "", false);
        assert!(matches!(refused, Err(RequestError::Profile { .. })));
    }
}
