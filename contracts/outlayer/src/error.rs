//! Every refusal, by feature. Each names the limit, the value and, where there is one, the mend.

use kit::owner::NotOwner;
use near_sdk::{AccountId, FunctionError};
use thiserror::Error;

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum OwnerError {
    #[error(transparent)]
    NotOwner(#[from] NotOwner),
    #[error("the contract is paused by its owner: nothing new is taken in; answers, cancels and claims go on")]
    Paused,
    #[error("{name} is {fee} yoctoNEAR, and at most {max} can be set")]
    FeeTooHigh { name: &'static str, fee: u128, max: u128 },
    #[error("nothing is changed: name at least one of {0}")]
    NothingToChange(&'static str),
    #[error("the event label '{value}' is refused: 1 to 32 letters, digits, '.', '_' or '-'")]
    EventLabel { value: String },
    #[error("{count} requests are too many for one call: cancel at most {max} at once")]
    TooManyToCancel { count: usize, max: usize },
    #[error("{asked} yoctoNEAR of fees cannot be withdrawn: {available} are free (fees that back storage and payments stay)")]
    FeesNotFree { asked: u128, available: u128 },
    #[error(transparent)]
    Limit(#[from] LimitError),
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum LimitError {
    #[error("{name} is {value}, above the cap of {max} (see get_max_limits): ask for less")]
    TooHigh { name: &'static str, value: u64, max: u64 },
    #[error("{name} is 0: it must be at least 1, or left out for the default")]
    Zero { name: &'static str },
}

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum SourceError {
    #[error(
        "a source is needed: pass source {{\"GitHub\"|\"WasmUrl\"|\"Project\": …}} or the older code_source {{repo, commit, build_target}}"
    )]
    Missing,
    #[error("source and code_source were both given: pass one of them")]
    Both,
    #[error("{field} is {bytes} bytes long, and at most {max} are taken")]
    TooLong { field: &'static str, bytes: usize, max: usize },
    #[error("the {field} '{value}' is refused: {rule}")]
    Malformed { field: &'static str, value: String, rule: &'static str },
    #[error("the build_target '{value}' is unknown: use \"wasm32-wasip1\" or \"wasm32-wasip2\"")]
    BuildTarget { value: String },
}

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum RequestError {
    #[error("{attached} gas is attached and {needed} is needed for this request (see get_minimum_gas): attach more")]
    TooLittleGas { attached: u64, needed: u64 },
    #[error("{attached} yoctoNEAR is attached and {needed} is needed: {price} for the limits asked (see estimate_execution_cost) and {storage} as a deposit for {input_bytes} bytes of input, given back at the end")]
    TooLittleDeposit { attached: u128, needed: u128, price: u128, storage: u128, input_bytes: usize },
    #[error("input_data is {bytes} bytes long, and at most {max} are taken: pass a pointer to more")]
    InputTooLong { bytes: usize, max: usize },
    #[error("input_data must be left out or empty when nothing is run (no resource_limits, or compile_only): it is {bytes} bytes long")]
    InputWithoutRun { bytes: usize },
    #[error("force_rebuild does not go with a WasmUrl: there is nothing to build")]
    NothingToRebuild,
    #[error("store_on_fastfs needs force_rebuild as well, so that there is a fresh build to store")]
    StoreWithoutRebuild,
    #[error("attached_usd is {value}, and this contract keeps no stablecoin balances: leave it out")]
    AttachedUsd { value: u128 },
    #[error("the profile '{value}' is refused: 1 to 64 letters, digits, '.', '_' or '-'")]
    Profile { value: String },
    #[error("payer_account_id is this contract itself: name an account that refunds can go to")]
    PayerIsContract,
    #[error("this contract's own balance is {short} yoctoNEAR short of what one more request may store: its owner must send it at least that much")]
    ReserveExhausted { short: u128 },
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Limit(#[from] LimitError),
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error(transparent)]
    Owner(#[from] OwnerError),
}

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum AnswerError {
    #[error("only the operator {operator} may call this, not {caller}")]
    NotOperator { caller: AccountId, operator: AccountId },
    #[error("request {0} is not pending: it is unknown, or already resolved or cancelled; nothing is left to do")]
    NotPending(u64),
    #[error("the output is {bytes} bytes long, and at most {max} are taken: answer with success false and say so")]
    OutputTooLong { bytes: usize, max: usize },
    #[error("the output is {bytes} bytes long once escaped as JSON, and at most {max} are taken: ask for Bytes, which come as base64")]
    EncodedTooLong { bytes: usize, max: usize },
    #[error("the output does not fit the response format: {0}; answer with success false and say so")]
    OutputUnfit(&'static str),
    #[error("receipt_sha256 '{value}' is refused: 64 hex digits are needed")]
    ReceiptHash { value: String },
    #[error("this contract's own balance is {short} yoctoNEAR short of storing the output: its owner must send it at least that much")]
    ReserveExhausted { short: u128 },
    #[error("request {request_id} cannot be extended: its deadline was {deadline_ns} ns, now is {now_ns} ns")]
    PastDeadline { request_id: u64, deadline_ns: u64, now_ns: u64 },
    #[error("only {requester}, who made request {request_id}, may cancel it, not {caller}")]
    NotRequester { request_id: u64, caller: AccountId, requester: AccountId },
    #[error("request {request_id} cannot be cancelled yet: its deadline is {deadline_ns} ns, now is {now_ns} ns")]
    NotStale { request_id: u64, deadline_ns: u64, now_ns: u64 },
    #[error("{0} has no refund to claim")]
    NothingToClaim(AccountId),
}

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum DepositError {
    #[error(
        "{attached} yoctoNEAR is attached and {needed} is needed as a deposit for {bytes} bytes of storage, given back when they are freed"
    )]
    TooLittle { attached: u128, needed: u128, bytes: u64 },
}

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum SecretError {
    #[error("an accessor is needed: {{\"Repo\"|\"WasmHash\"|\"Project\": …}}, or the older repo and branch")]
    AccessorMissing,
    #[error("accessor and repo were both given: pass one of them")]
    AccessorTwice,
    #[error("the {field} '{value}' is refused: {rule}")]
    Malformed { field: &'static str, value: String, rule: &'static str },
    #[error("the encrypted secrets are {bytes} characters long, and 1 to {max} are taken")]
    Length { bytes: usize, max: usize },
    #[error("the access rule has more than {max} {what}")]
    AccessTooBig { what: &'static str, max: usize },
    #[error("the access rule lists no {0}: it would let nobody in")]
    AccessEmpty(&'static str),
    #[error("no secrets of {owner} are stored under this accessor and profile '{profile}'")]
    NotFound { owner: AccountId, profile: String },
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error(transparent)]
    Deposit(#[from] DepositError),
    #[error(transparent)]
    Owner(#[from] OwnerError),
}

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum ProjectError {
    #[error("the project name '{value}' is refused: 1 to 64 letters, digits, '_' or '-'")]
    Name { value: String },
    #[error("the project id '{value}' is refused: it is written owner.near/name")]
    Id { value: String },
    #[error("there is no project {0}")]
    NotFound(String),
    #[error("the project {0} exists already")]
    Exists(String),
    #[error("the project {project_id} has no version '{version_key}'")]
    NoVersion { project_id: String, version_key: String },
    #[error("the project {project_id} has the version '{version_key}' already")]
    VersionExists { project_id: String, version_key: String },
    #[error("the project {project_id} has changed hands and rests: its owner {owner} takes it over with set_active_version")]
    Resting { project_id: String, owner: AccountId },
    #[error("'{version_key}' is the active version: make another one active first")]
    VersionIsActive { version_key: String },
    #[error("the project {project_id} has {max} versions, the most there can be: remove one first")]
    TooManyVersions { project_id: String, max: u32 },
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Deposit(#[from] DepositError),
    #[error(transparent)]
    Owner(#[from] OwnerError),
}
