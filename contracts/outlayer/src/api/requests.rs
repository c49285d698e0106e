//! `request_execution`: a question comes in and its promise yields.

use kit::roster::Roster;
use kit::storage::{storage_cost, RECORD_BYTES};
use near_sdk::{env, near, AccountId, FunctionError, Gas, GasWeight, PromiseIndex};

use crate::error::{ProjectError, RequestError};
use crate::events::{self, Requested};
use crate::limits::{Limits, ResourceLimits};
use crate::output::ResponseFormat;
use crate::projects;
use crate::request::{self, Flags, ProjectRef, Request, RequestParams, SecretsRef, MAX_EVENT_INPUT_BYTES};
use crate::source::{self, CodeSource, ExecutionSource, FlatSource};
use crate::storage::{id_key, Tag, INPUTS, PROJECTS, REQUESTS, VERSIONS};
use crate::{gas, Outlayer, OutlayerExt};

/// Callers and indexers of the deployed contract know the data id under this register.
const DATA_ID_REGISTER: u64 = 37;

#[near]
impl Outlayer {
    /// Asks for a run (or, without `resource_limits`, for compiling only). The result of the promise is the guest's answer, or null.
    #[payable]
    #[allow(clippy::too_many_arguments)] // one argument is one field of the JSON that callers send
    pub fn request_execution(
        &mut self,
        source: Option<ExecutionSource>,
        code_source: Option<FlatSource>,
        resource_limits: Option<ResourceLimits>,
        input_data: Option<String>,
        secrets_ref: Option<SecretsRef>,
        response_format: Option<ResponseFormat>,
        payer_account_id: Option<AccountId>,
        params: Option<RequestParams>,
    ) {
        let asked = Asked {
            source: source::one_of(source, code_source).unwrap_or_else(|e| e.panic()),
            resource_limits,
            input: input_data.unwrap_or_default(),
            secrets_ref,
            response_format: response_format.unwrap_or_default(),
            payer_account_id,
            params: params.unwrap_or_default(),
        };
        match self.open_request(asked) {
            Ok(promise) => env::promise_return(promise),
            Err(refusal) => refusal.panic(),
        }
    }
}

struct Asked {
    source: ExecutionSource,
    resource_limits: Option<ResourceLimits>,
    input: String,
    secrets_ref: Option<SecretsRef>,
    response_format: ResponseFormat,
    payer_account_id: Option<AccountId>,
    params: RequestParams,
}

impl Outlayer {
    fn open_request(&mut self, asked: Asked) -> Result<PromiseIndex, RequestError> {
        self.assert_running()?;
        check_gas(asked.input.len())?;
        let input = asked.input.clone();
        let mut request = self.accept(asked)?;
        let request_id = self.next_request_id;

        let request_data = self.announce(&mut request, request_id, &input);
        let promise = yield_for_answer(&request_data);
        request.data_id = data_id();

        self.next_request_id += 1;
        self.ledger.open(request.payment, request.storage_deposit);
        self.keep(request_id, &request, &input);
        self.assert_reserve().map_err(|short| RequestError::ReserveExhausted { short })?;
        self.emit_requested(&Requested { request_data: &request_data, data_id: request.data_id, timestamp: request.created_ns });
        Ok(promise)
    }

    /// Holds a request against every rule.
    fn accept(&self, asked: Asked) -> Result<Request, RequestError> {
        let (source, project) = resolve(asked.source)?;
        let compile_only = request::is_compile_only(asked.resource_limits.as_ref(), &asked.params);
        request::check_params(&source, &asked.params, asked.secrets_ref.as_ref(), &asked.input, compile_only)?;
        let limits = match &asked.resource_limits {
            Some(limits) if !compile_only => Some(Limits::within(limits, &self.caps)?),
            _ => None,
        };
        let payment = env::attached_deposit().as_yoctonear();
        let storage_deposit = storage_deposit(&asked.input);
        check_deposit(payment, self.pricing.estimate(limits.as_ref()), storage_deposit, asked.input.len())?;

        let predecessor_id = env::predecessor_account_id();
        let payer_id = asked.payer_account_id.unwrap_or_else(|| predecessor_id.clone());
        if payer_id == env::current_account_id() {
            return Err(RequestError::PayerIsContract);
        }
        Ok(Request {
            data_id: [0; 32],
            signer_id: env::signer_account_id(),
            predecessor_id,
            payer_id,
            source,
            project,
            limits,
            payment,
            storage_deposit,
            pricing: self.pricing,
            created_ns: env::block_timestamp(),
            secrets_ref: asked.secrets_ref,
            response_format: asked.response_format,
            flags: Flags {
                force_rebuild: asked.params.force_rebuild,
                store_on_fastfs: asked.params.store_on_fastfs,
                use_bound_identity: asked.params.use_bound_identity,
            },
            input_bytes: asked.input.len() as u32, // bounded by MAX_INPUT_BYTES
            input_in_state: asked.input.len() >= MAX_EVENT_INPUT_BYTES,
            progress_announced: false,
        })
    }

    /// The `request_data` of the event. An input that would not fit the line once it is quoted twice is left in state.
    fn announce(&self, request: &mut Request, request_id: u64, input: &str) -> String {
        let data = |request: &Request| {
            let text = if request.input_in_state { String::new() } else { input.to_string() };
            serde_json::to_string(&request.data(request_id, text)).unwrap_or_default()
        };
        let request_data = data(request);
        if request.input_in_state || events::quoted_bytes(&request_data) <= events::MAX_QUOTED_DATA_BYTES {
            return request_data;
        }
        request.input_in_state = true;
        data(request)
    }

    fn keep(&mut self, request_id: u64, request: &Request, input: &str) {
        REQUESTS.put(&id_key(request_id), request);
        if !input.is_empty() {
            INPUTS.put(&id_key(request_id), &input.to_string());
        }
        let mut pending = self.pending_ids();
        pending.insert(&id_key(request_id));
        self.pending_count = pending.len();
    }

    pub(crate) fn pending_ids(&self) -> Roster {
        Roster::with_len(Tag::PendingIds as u8, self.pending_count)
    }

    /// Whether the balance covers what is owed and stored; else how much is missing.
    pub(crate) fn assert_reserve(&self) -> Result<(), u128> {
        match self.required_balance().checked_sub(env::account_balance().as_yoctonear()) {
            None | Some(0) => Ok(()),
            Some(short) => Err(short),
        }
    }

    pub(crate) fn required_balance(&self) -> u128 {
        self.ledger.required(env::storage_usage(), self.pending_count, env::storage_byte_cost().as_yoctonear())
    }
}

/// Sets a yield up for the answer of a request.
pub fn yield_for_answer(args: &str) -> PromiseIndex {
    env::promise_yield_create("on_execution_response", args.as_bytes(), gas::YIELD_CALLBACK, GasWeight(1), DATA_ID_REGISTER)
}

/// The same from a callback that has less gas left: all of it goes to the next one.
pub fn yield_again(args: &str, at_least: Gas) -> PromiseIndex {
    env::promise_yield_create("on_execution_response", args.as_bytes(), at_least, GasWeight(1), DATA_ID_REGISTER)
}

/// The data id of the yield set up last.
pub fn data_id() -> [u8; 32] {
    let bytes = env::read_register(DATA_ID_REGISTER).unwrap_or_default();
    bytes.try_into().unwrap_or_else(|_| env::panic_str("the chain gave no data id of 32 bytes for the yield"))
}

fn check_gas(input_bytes: usize) -> Result<(), RequestError> {
    let (attached, needed): (Gas, Gas) = (env::prepaid_gas(), gas::least_for_request(input_bytes as u64));
    if attached >= needed {
        return Ok(());
    }
    Err(RequestError::TooLittleGas { attached: attached.as_gas(), needed: needed.as_gas() })
}

/// The stake of an input that is too long for the event.
fn storage_deposit(input: &str) -> u128 {
    if input.len() < MAX_EVENT_INPUT_BYTES {
        return 0;
    }
    const STRING_LENGTH_BYTES: u64 = 4;
    storage_cost(RECORD_BYTES + 1 + 8 + STRING_LENGTH_BYTES + input.len() as u64)
}

fn check_deposit(attached: u128, price: u128, storage: u128, input_bytes: usize) -> Result<(), RequestError> {
    let needed = price.saturating_add(storage);
    if attached >= needed {
        return Ok(());
    }
    Err(RequestError::TooLittleDeposit { attached, needed, price, storage, input_bytes })
}

/// The source a worker can fetch, and the project it came from.
fn resolve(source: ExecutionSource) -> Result<(CodeSource, Option<ProjectRef>), RequestError> {
    match source {
        ExecutionSource::GitHub { repo, commit, build_target } => Ok((CodeSource::GitHub { repo, commit, build_target }.checked()?, None)),
        ExecutionSource::WasmUrl { url, hash, build_target } => Ok((CodeSource::WasmUrl { url, hash, build_target }.checked()?, None)),
        ExecutionSource::Project { project_id, version_key } => {
            projects::check_id(&project_id)?;
            let project = PROJECTS.get(&projects::record_id(&project_id)).ok_or_else(|| ProjectError::NotFound(project_id.clone()))?;
            if project.is_resting() {
                return Err(ProjectError::Resting { project_id, owner: project.owner.account_id() }.into());
            }
            let version_id = version_key.as_deref().map_or(project.active_version, |key| project.version_id(key));
            let Some(version) = VERSIONS.get(&version_id) else {
                let version_key = version_key.unwrap_or_default();
                return Err(ProjectError::NoVersion { project_id, version_key }.into());
            };
            Ok((version.source, Some(ProjectRef { project_id, uuid: project.uuid(), version_key })))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deposit_below_the_estimate_is_refused_with_both_figures() {
        let refused = check_deposit(6, 5, 2, 10_000).unwrap_err();
        assert_eq!(refused, RequestError::TooLittleDeposit { attached: 6, needed: 7, price: 5, storage: 2, input_bytes: 10_000 });
        assert!(refused.to_string().contains('6') && refused.to_string().contains('7'));
        assert_eq!(check_deposit(7, 5, 2, 10_000), Ok(()));
    }

    #[test]
    fn only_inputs_too_long_for_the_event_need_a_deposit() {
        near_sdk::testing_env!(near_sdk::test_utils::VMContextBuilder::new().build());
        assert_eq!(storage_deposit(&"x".repeat(MAX_EVENT_INPUT_BYTES - 1)), 0);
        let bytes_before = env::storage_usage();
        let input = "x".repeat(MAX_EVENT_INPUT_BYTES);
        INPUTS.put(&id_key(1), &input);
        assert_eq!(storage_deposit(&input), storage_cost(env::storage_usage() - bytes_before));
    }
}
