//! Every refusal, by feature. Each names the limit, the value and, where there is one, the mend.

use kit::owner::NotOwner;
use near_sdk::{AccountId, FunctionError};
use thiserror::Error;

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum OwnerError {
    #[error(transparent)]
    NotOwner(#[from] NotOwner),
    #[error("the allowance of a key is {value} yoctoNEAR: it must be {min} to {max}")]
    Allowance { value: u128, min: u128, max: u128 },
}

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum RootError {
    #[error("root_ca_der_hex is {bytes} bytes long, and at most {max} are taken")]
    TooLong { bytes: usize, max: usize },
    #[error("root_ca_der_hex is no X.509 certificate in DER, written in hex digits: leave it out for Intel's root")]
    Unreadable,
}

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum DepositError {
    #[error("{attached} yoctoNEAR is attached and {needed} is needed as the deposit for the bytes this keeps, given back when they go: attach it (what is too much comes back)")]
    TooLittle { attached: u128, needed: u128 },
}

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum GasError {
    #[error("{attached} gas is attached and {needed} is needed to verify a quote: attach more (what is not burnt comes back)")]
    TooLittle { attached: u64, needed: u64 },
}

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum MeasurementsError {
    #[error("{name} is '{value}': it must be 96 hex digits (48 bytes)")]
    Digits { name: &'static str, value: String },
    #[error("the measurements are missing: pass mrtd, rtmr0, rtmr1, rtmr2 and rtmr3, or all five as measurements")]
    Missing,
    #[error("these measurements are approved already")]
    Approved,
    #[error("these measurements are not approved, so there is nothing to remove")]
    NotThere,
    #[error(transparent)]
    Owner(#[from] OwnerError),
    #[error(transparent)]
    Deposit(#[from] DepositError),
}

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum PolicyError {
    #[error("the TCB status '{value}' cannot be accepted: the known ones are {known}")]
    Status { value: String, known: String },
    #[error("accepted_tcb_statuses is empty, so no platform could register: name at least UpToDate")]
    NoStatus,
    #[error("at most {statuses} statuses and {advisories} advisories can be accepted")]
    TooMany { statuses: usize, advisories: usize },
    #[error("the advisory '{value}' is refused: 1 to 32 letters, digits or '-', as INTEL-SA-00615")]
    Advisory { value: String },
    #[error("the range of tcbEvaluationDataNumber is empty: {min} to {max}")]
    Range { min: u32, max: u32 },
    #[error("{name} is {value}: it must be {min} to {max}")]
    Seconds { name: &'static str, value: u64, min: u64, max: u64 },
    #[error("nothing is changed: name a setting and another value for it (see get_policy)")]
    NothingToChange,
    #[error("the platform's TCB status is {status} (advisories: {advisories}), and the policy accepts {accepted}: update the platform, or the owner widens set_policy")]
    Platform { status: String, accepted: String, advisories: String },
    #[error("the advisory {id} applies to the platform (status {status}), and the policy does not accept it: update the platform, or the owner adds it with set_policy")]
    AdvisoryApplies { id: String, status: String },
    #[error(
        "tcbEvaluationDataNumber of {part} is {number}, and the policy takes {min} to {max}: fetch collateral of an evaluation in range"
    )]
    Evaluation { part: &'static str, number: u32, min: u32, max: u32 },
    #[error("{part} was issued {age_s} s ago, and the policy takes {max_s} s at most: bring newer collateral (refresh_collateral)")]
    Age { part: &'static str, age_s: u64, max_s: u64 },
    #[error(transparent)]
    Owner(#[from] OwnerError),
}

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum CollateralError {
    #[error("{part} of the collateral is {bytes} bytes long, and at most {max} are taken")]
    TooLong { part: &'static str, bytes: usize, max: usize },
    #[error("{part} of the collateral cannot be read: {expected} is expected")]
    Unreadable { part: &'static str, expected: &'static str },
    #[error("{part} of the collateral is issued at {issued_s}, and it is {now_s} (seconds since 1970): it is not valid yet")]
    Future { part: &'static str, issued_s: u64, now_s: u64 },
    #[error("{part} of the collateral expired at {next_update_s}, and it is {now_s} (seconds since 1970): fetch fresh collateral and bring it with refresh_collateral or register_worker")]
    Expired { part: &'static str, next_update_s: u64, now_s: u64 },
    #[error(
        "{part} of the collateral was issued at {issued_s}, before what is stored ({stored_s}, seconds since 1970): fetch fresh collateral"
    )]
    RolledBack { part: &'static str, issued_s: u64, stored_s: u64 },
    #[error("pck_crl is of another CA than what is stored for FMSPC {fmspc}: fetch the list of the CA in the quote's certificates, or the owner replaces the collateral with update_collateral")]
    OtherIssuer { fmspc: String },
    #[error("{part} of the collateral was issued at {issued_s}, more than {most_s} s before what is stored beside it ({stored_s}, seconds since 1970): fetch fresh collateral")]
    LeftBehind { part: &'static str, issued_s: u64, stored_s: u64, most_s: u64 },
    #[error("the collateral is of another edition than what is stored for FMSPC {fmspc} (tcbEvaluationDataNumber of TCB info and QE identity {brought:?}, stored {stored:?}), and the stored still serves: register_worker takes it along for one registration, and the owner puts it in place with update_collateral")]
    OtherEdition { fmspc: String, brought: (u32, u32), stored: (u32, u32) },
    #[error("no collateral is stored for FMSPC {fmspc}: bring it with refresh_collateral or register_worker")]
    NotStored { fmspc: String },
    #[error("the FMSPC '{value}' is refused: 12 hex digits")]
    Fmspc { value: String },
    #[error(transparent)]
    Quote(#[from] QuoteError),
    #[error(transparent)]
    Verification(#[from] VerificationError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Owner(#[from] OwnerError),
    #[error(transparent)]
    Deposit(#[from] DepositError),
    #[error(transparent)]
    Gas(#[from] GasError),
}

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum QuoteError {
    #[error("the quote is {bytes} bytes long, and at most {max} are taken")]
    TooLong { bytes: usize, max: usize },
    #[error("the quote is not written in hex digits, two a byte")]
    Hex,
    #[error("the quote is of TEE type {tee_type}, and only TDX (129) registers")]
    NotTdx { tee_type: u32 },
    #[error("the quote has version {version}, and 4 and 5 are known")]
    Version { version: u16 },
    #[error("the quote is cut short: {part} needs {needed} bytes and {left} are left")]
    CutShort { part: &'static str, needed: usize, left: usize },
    #[error("{bytes} bytes trail after the {part}: pass the quote alone (zeros that fill up a buffer are no part of it)")]
    Trailing { part: &'static str, bytes: usize },
    #[error("the {part} of the quote is of type {found}, and {expected} is needed: ask for a quote with its PCK certificate chain")]
    CertificationType { part: &'static str, found: u16, expected: u16 },
    #[error("the quote cannot be read: {reason}")]
    Unreadable { reason: String },
    #[error("the PCK certificate in the quote cannot be read: {reason}")]
    Certificate { reason: String },
}

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum VerificationError {
    #[error("the quote is of a platform with FMSPC {quote}, and the collateral is for {collateral}: fetch the collateral of the quote")]
    Fmspc { quote: String, collateral: String },
    #[error("{part} of the collateral is not exactly the signer's certificate and the root: fetch it as Intel serves it, and the collateral of the quote's CA")]
    Chain { part: &'static str },
    #[error("the quote does not verify: {reason}")]
    Refused { reason: String },
}

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum BindingError {
    #[error("seen_block_time is missing: pass the time of a recent block (nanoseconds) that the quote's report data was made with")]
    NoTime,
    #[error("seen_block_time {seen} is ahead of this block's {now} (nanoseconds): take the time of a final block")]
    Future { seen: u64, now: u64 },
    #[error("seen_block_time {seen} is {age_s} s before this block's {now}, and at most {max_s} s are taken: make a fresh quote")]
    Stale { seen: u64, now: u64, age_s: u64, max_s: u64 },
    #[error("the report data of the quote begins with {found}, and the key is {expected}: the quote was made for another key")]
    Key { found: String, expected: String },
    #[error("the report data of the quote ends with {found}, and {expected} is sha256(\"nco/register/v1\" and borsh of {register_account}, {main_contract}, {seen_block_time}, {settings_sha256}): the quote was made for other accounts, another time or other settings")]
    Context {
        found: String,
        expected: String,
        register_account: AccountId,
        main_contract: AccountId,
        seen_block_time: u64,
        settings_sha256: String,
    },
}

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum RegisterError {
    #[error("only {allowed} may register workers here, not {caller}")]
    NotAllowed { caller: AccountId, allowed: AccountId },
    #[error("the key is not of the curve ed25519: make one that is")]
    Curve,
    #[error("settings_sha256_hex is '{value}': it must be 64 hex digits")]
    Settings { value: String },
    #[error("the key was revoked at {revoked_ns} (nanoseconds) and never comes back: make a new key")]
    Revoked { revoked_ns: u64 },
    #[error("the key is registered with a quote of {registered} and this one is of {seen} (nanoseconds): a renewal needs a newer quote")]
    Replayed { registered: u64, seen: u64 },
    #[error("these measurements are not approved. mrtd={mrtd} rtmr0={rtmr0} rtmr1={rtmr1} rtmr2={rtmr2} rtmr3={rtmr3}. If they are of your own build, the owner {owner} approves them with add_approved_measurements")]
    NotApproved { mrtd: String, rtmr0: String, rtmr1: String, rtmr2: String, rtmr3: String, owner: AccountId },
    #[error(transparent)]
    Binding(#[from] BindingError),
    #[error(transparent)]
    Quote(#[from] QuoteError),
    #[error(transparent)]
    Collateral(#[from] CollateralError),
    #[error(transparent)]
    Verification(#[from] VerificationError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Deposit(#[from] DepositError),
    #[error(transparent)]
    Gas(#[from] GasError),
}

#[derive(Debug, Error, FunctionError, PartialEq)]
pub enum WorkerError {
    #[error("the key is not of the curve ed25519, so it is no worker's")]
    Curve,
    #[error("the key was revoked already, at {revoked_ns} (nanoseconds)")]
    Revoked { revoked_ns: u64 },
    #[error("pass either rtmr3 or public_key")]
    OneName,
    #[error(transparent)]
    Rtmr3(#[from] MeasurementsError),
    #[error(transparent)]
    Owner(#[from] OwnerError),
    #[error(transparent)]
    Deposit(#[from] DepositError),
}
