// Does with near-api-js what a program does with a node, and prints what it was told as one JSON object.
//
//   node near_api_js.mjs RPC_URL ROOT_ACCOUNT_ID ROOT_SECRET_KEY WASM_FILE
import { readFileSync } from "node:fs";
import { Account, JsonRpcProvider, KeyPair, actions } from "near-api-js";

const [rpcUrl, rootId, rootKey, wasmFile] = process.argv.slice(2);
const provider = new JsonRpcProvider({ url: rpcUrl });
const root = new Account(rootId, provider, rootKey);
const told = {};

async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return { name: error.constructor.name, message: String(error.message) };
  }
  return { name: "none", message: "it did not fail" };
}

// Accounts and keys.
const key = KeyPair.fromRandom("ed25519");
const greeterId = `greeter.${rootId}`;
await root.createSubAccount({ accountOrPrefix: "greeter", publicKey: key.getPublicKey(), nearToTransfer: 10n ** 25n });
const greeter = new Account(greeterId, provider, key.toString());
const registered = `registered.${rootId}`;
const created = await root.callFunction({
  contractId: rootId,
  methodName: "create_account",
  args: { new_account_id: registered, new_public_key: key.getPublicKey().toString() },
  deposit: 10n ** 24n,
  gas: 100n * 10n ** 12n,
});
told.created = created;
told.registered = (await provider.viewAccount({ accountId: registered, blockQuery: { finality: "final" } })).amount.toString();
told.state = await greeter.getState();
const limited = KeyPair.fromRandom("ed25519");
await root.addFunctionCallAccessKey({ publicKey: limited.getPublicKey(), contractId: greeterId, methodNames: ["tell"], allowance: 10n ** 24n });
told.limited = (await root.getAccessKey(limited.getPublicKey())).permission;
told.keys = (await root.getAccessKeyList()).keys.length;

// A contract.
await greeter.deployContract(readFileSync(wasmFile));
told.codeHash = (await greeter.getContractCode()).hash;
told.before = await provider.callFunction({ contractId: greeterId, method: "told", args: {} });
told.returned = await root.callFunction({ contractId: greeterId, methodName: "tell", args: { text: "hello" } });
told.after = await provider.callFunction({ contractId: greeterId, method: "told", args: {} });
told.contractState = (await greeter.getContractState("")).values;
const byLimited = new Account(rootId, provider, limited.toString());
const raw = await byLimited.callFunctionRaw({ contractId: greeterId, methodName: "tell", args: { text: "again" } });
told.logs = raw.receipts_outcome.flatMap((outcome) => outcome.outcome.logs);

// Many at once with one key: its nonces collide and are tried again.
const transfers = await Promise.all(Array.from({ length: 5 }, () => root.transfer({ receiverId: greeterId, amount: 1n })));
told.transfers = transfers.map((transfer) => transfer.final_execution_status ?? "none").length;

// Reading.
const txHash = raw.transaction.hash;
const status = await provider.viewTransactionStatus({ txHash, accountId: rootId, waitUntil: "FINAL" });
told.status = status.final_execution_status;
const withReceipts = await provider.viewTransactionStatusWithReceipts({ txHash, accountId: rootId, waitUntil: "FINAL" });
told.receipts = withReceipts.receipts.length;
told.receipt = (await provider.viewTransactionReceipt(withReceipts.receipts[0].receipt_id)).receiver_id;
const block = await provider.viewBlock({ blockId: status.transaction_outcome.block_hash });
told.chunkTransactions = (await provider.viewChunk(block.chunks[0].chunk_hash)).transactions.map((each) => each.hash === txHash);
told.gasPrice = (await provider.viewGasPrice()).gas_price;
told.chainId = await provider.getNetworkId();
told.validators = (await provider.viewValidators()).current_validators.map((each) => each.account_id);
told.storageAmountPerByte = (await provider.experimental_protocolConfig({ finality: "final" })).runtime_config.storage_amount_per_byte;

// A meta transaction: signed by one, paid by another.
const { signedDelegate } = await greeter.createSignedMetaTransaction({
  receiverId: greeterId,
  actions: [actions.functionCall("tell", { text: "meta" }, 10n ** 13n, 0n)],
});
await root.signAndSendTransaction({ receiverId: greeterId, actions: [actions.signedDelegate(signedDelegate)] });
told.meta = await provider.callFunction({ contractId: greeterId, method: "told", args: {} });

// What goes wrong.
told.failures = {
  account: await failure(new Account(`nobody.${rootId}`, provider).getState()),
  key: await failure(root.getAccessKey(KeyPair.fromRandom("ed25519").getPublicKey())),
  panicked: await failure(root.callFunction({ contractId: greeterId, methodName: "boom", args: {} })),
  method: await failure(root.callFunction({ contractId: greeterId, methodName: "nothing", args: {} })),
  view: await failure(provider.callFunction({ contractId: greeterId, method: "boom", args: {} })),
  viewMethod: await failure(provider.callFunction({ contractId: greeterId, method: "nothing", args: {} })),
  code: await failure(provider.viewContractCode({ contractId: registered, blockQuery: { finality: "final" } })),
  forbidden: await failure(byLimited.callFunction({ contractId: greeterId, methodName: "boom", args: {} })),
  poor: await failure(greeter.transfer({ receiverId: rootId, amount: 10n ** 30n })),
  transaction: await failure(provider.viewTransactionStatus({ txHash: "1".repeat(32), accountId: rootId, waitUntil: "FINAL" })),
  block: await failure(provider.viewBlock({ blockId: 10 ** 9 })),
};

// Gone again.
await new Account(registered, provider, key.toString()).deleteAccount(rootId);
told.deleted = await failure(provider.viewAccount({ accountId: registered, blockQuery: { finality: "final" } }));

console.log(JSON.stringify(told, (_, value) => (typeof value === "bigint" ? value.toString() : value)));
