//! A contract to copy: it asks the oracle to run code off chain, gets the answer in a callback, and keeps it.
//!
//! 1. `ask` passes the attached deposit on to `request_execution`; what the run does not use goes back to whoever called `ask`.
//! 2. The oracle's promise yields until the worker answers, or the chain gives up after 200 blocks.
//! 3. `on_answer` gets the output, or `null` when there is none: the code failed, or nobody answered in time. When the oracle refused the
//!    question itself, NEAR hands the deposit back to this contract, and `on_answer` hands it on to whoever paid.

mod api;
mod oracle;

use std::fmt;

use near_sdk::{near, AccountId, FunctionError, PanicOnDefault};

use crate::oracle::Source;

/// Answers that are kept: a ring, so that what storage costs does not grow with the questions.
pub const KEPT_ANSWERS: u64 = 100;

#[near(contract_state)]
#[derive(PanicOnDefault)]
pub struct Client {
    oracle_id: AccountId,
    /// Asked for when a question brings no source of its own.
    source: Option<Source>,
    asked: u64,
    last: Option<u64>,
}

/// What came of a question; `answer` is JSON text: a string, or a value for the format Json. None: the run failed, timed out or was refused.
#[near(serializers = [borsh, json])]
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub question_id: u64,
    pub asked_by: AccountId,
    pub succeeded: bool,
    pub answer: Option<String>,
    /// Block time in nanoseconds.
    pub answered_at: u64,
}

/// Why a question is not even asked.
#[derive(Debug, FunctionError, PartialEq)]
pub enum ClientError {
    TooLittleGas { attached: u64, needed: u64 },
    NoSource,
}

impl fmt::Display for ClientError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLittleGas { attached, needed } => write!(out, "{attached} gas is attached and {needed} are needed: attach more"),
            Self::NoSource => write!(out, "no code is named: pass `source`, or deploy this contract with one"),
        }
    }
}

#[near]
impl Client {
    #[init]
    pub fn new(oracle_id: AccountId, source: Option<Source>) -> Self {
        Self { oracle_id, source, asked: 0, last: None }
    }
}

/// Where a question's answer lies: the place of the one 100 questions before it.
pub(crate) fn answer_key(question_id: u64) -> [u8; 9] {
    let mut key = [b'a'; 9];
    key[1..].copy_from_slice(&(question_id % KEPT_ANSWERS).to_le_bytes());
    key
}
