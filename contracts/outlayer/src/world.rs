//! A little chain for tests: one contract, its money, and transfers that are on their way.

use near_sdk::borsh;
use near_sdk::json_types::U128;
use near_sdk::test_utils::{get_created_receipts, get_logs, VMContextBuilder};
use near_sdk::{env, mock::MockAction, AccountId, Gas, NearToken, PromiseResult};

use crate::limits::ResourceLimits;
use crate::outcome::ResourceMetrics;
use crate::output::Resumed;
use crate::request::RequestParams;
use crate::source::ExecutionSource;
use crate::Outlayer;

pub const CONTRACT: &str = "outlayer.near";
pub const OWNER: &str = "owner.near";
pub const OPERATOR: &str = "operator.near";
pub const CLIENT: &str = "client.near";
pub const RESERVE: u128 = 50 * 10u128.pow(24);

/// What every request of these tests attaches unless it says otherwise.
pub const DEPOSIT: u128 = 10u128.pow(22);

pub struct World {
    pub contract: Outlayer,
    pub balance: u128,
    pub paid_in: u128,
    pub paid_out: u128,
    /// Transfers that have left and are not yet known to have arrived.
    pub in_flight: Vec<(AccountId, u128)>,
    pub height: u64,
    pub now_ns: u64,
    pub gas: Gas,
    pub logs: Vec<String>,
    storage: u64,
}

impl World {
    pub fn new() -> Self {
        near_sdk::mock::with_mocked_blockchain(|chain| drop(chain.take_storage()));
        near_sdk::testing_env!(VMContextBuilder::new().current_account_id(id(CONTRACT)).build());
        let contract = Outlayer::new(id(OWNER), Some(id(OPERATOR)), None, None);
        env::state_write(&contract);
        Self {
            contract,
            balance: RESERVE,
            paid_in: 0,
            paid_out: 0,
            in_flight: Vec::new(),
            height: 1_000,
            now_ns: 1_700_000_000_000_000_000,
            gas: Gas::from_tgas(300),
            logs: Vec::new(),
            storage: env::storage_usage(),
        }
    }

    /// Calls an entry point as an account, with a deposit; `result` is that of the promise a callback awaits.
    pub fn call<R>(&mut self, caller: &str, deposit: u128, result: Option<PromiseResult>, f: impl FnOnce(&mut Outlayer) -> R) -> R {
        let context = VMContextBuilder::new()
            .current_account_id(id(CONTRACT))
            .predecessor_account_id(id(caller))
            .signer_account_id(id("signer.near"))
            .attached_deposit(NearToken::from_yoctonear(deposit))
            .account_balance(NearToken::from_yoctonear(self.balance))
            .storage_usage(self.storage)
            .block_height(self.height)
            .block_timestamp(self.now_ns)
            .prepaid_gas(self.gas)
            .build();
        let (config, fees) = (near_sdk::test_vm_config(), near_sdk::RuntimeFeesConfig::test());
        let results: Vec<PromiseResult> = result.into_iter().collect();
        near_sdk::testing_env!(context, config, fees, Default::default(), results);
        let answer = f(&mut self.contract);
        env::state_write(&self.contract);
        self.paid_in += deposit;
        for receipt in get_created_receipts() {
            for action in &receipt.actions {
                if let MockAction::Transfer { deposit, .. } = action {
                    self.in_flight.push((receipt.receiver_id.clone(), deposit.as_yoctonear()));
                }
            }
        }
        self.balance = env::account_balance().as_yoctonear();
        self.storage = env::storage_usage();
        self.logs.extend(get_logs());
        answer
    }

    pub fn request(&mut self, input: &str, deposit: u128) -> u64 {
        let input = Some(input.to_string());
        self.call(CLIENT, deposit, None, |contract| {
            let limits = Some(ResourceLimits::default());
            contract.request_execution(Some(source()), None, limits, input, None, None, None, Some(RequestParams::default()));
        });
        self.contract.next_request_id - 1
    }

    pub fn answer(&mut self, request_id: u64, resumed: &Resumed) {
        let payload = PromiseResult::Successful(borsh::to_vec(resumed).unwrap());
        self.call(CONTRACT, 0, Some(payload), |contract| contract.on_execution_response(request_id));
    }

    pub fn time_out(&mut self, request_id: u64) {
        self.call(CONTRACT, 0, Some(PromiseResult::Failed), |contract| contract.on_execution_response(request_id));
    }

    /// Lets the oldest transfer arrive, or fail and come back.
    pub fn land(&mut self, delivered: bool) {
        if self.in_flight.is_empty() {
            return;
        }
        let (account_id, amount) = self.in_flight.remove(0);
        if delivered {
            self.paid_out += amount;
        } else {
            self.balance += amount;
        }
        let result = if delivered { PromiseResult::Successful(Vec::new()) } else { PromiseResult::Failed };
        self.call(CONTRACT, 0, Some(result), |contract| {
            Outlayer::on_refund(account_id, U128(amount));
            *contract = env::state_read().unwrap();
        });
    }

    pub fn required(&mut self) -> u128 {
        self.call(OWNER, 0, None, |contract| contract.required_balance())
    }

    /// Transfers on their way to an account, in all.
    pub fn owed_to(&self, account: &str) -> u128 {
        self.in_flight.iter().filter(|(account_id, _)| account_id == account).map(|(_, amount)| amount).sum()
    }
}

pub fn id(account: &str) -> AccountId {
    account.parse().unwrap()
}

pub fn source() -> ExecutionSource {
    ExecutionSource::WasmUrl { url: "https://example.org/guest.wasm".into(), hash: "ab".repeat(32), build_target: None }
}

pub fn success(instructions: u64, time_ms: u64, output: &str) -> Resumed {
    Resumed {
        success: true,
        metrics: ResourceMetrics { instructions, time_ms, compile_time_ms: None },
        error: None,
        compilation_note: None,
        receipt_sha256: Some([9; 32]),
        output_json: Some(serde_json::to_vec(output).unwrap()),
    }
}

pub fn failure(reason: &str) -> Resumed {
    Resumed { success: false, error: Some(reason.into()), output_json: None, receipt_sha256: None, ..success(5, 5, "") }
}
