//! Reads `{"type": .., "value": ..}` lines, parses each value as the named type of nearcore's crates, writes it again and prints one line each:
//! `ok`, or what differs. What a Rust client reads is thereby exactly what the local chain wrote.
//! Headers are hashed anew, and the `.._proof` types verified.

mod light_client;

use std::io::BufRead;

use near_indexer_primitives::{views, StreamerMessage};
use near_jsonrpc_primitives::{errors::RpcError, types};
use serde::{de::DeserializeOwned, Serialize};
use serde_json::Value;

fn round_trip<T: DeserializeOwned + Serialize>(value: &Value) -> Result<(), String> {
    let parsed: T = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
    let written = serde_json::to_value(&parsed).map_err(|error| error.to_string())?;
    let mut differences = Vec::new();
    compare("", value, &written, &mut differences);
    if differences.is_empty() {
        Ok(())
    } else {
        Err(differences.join("; "))
    }
}

fn compare(place: &str, ours: &Value, theirs: &Value, differences: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for (name, value) in ours {
                match theirs.get(name) {
                    Some(other) => compare(&format!("{place}.{name}"), value, other, differences),
                    None => differences.push(format!("{place}.{name} is not nearcore's")),
                }
            }
            for name in theirs.keys().filter(|name| !ours.contains_key(*name)) {
                differences.push(format!("{place}.{name} is missing"));
            }
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            for (index, (value, other)) in ours.iter().zip(theirs).enumerate() {
                compare(&format!("{place}[{index}]"), value, other, differences);
            }
        }
        _ if ours == theirs => {}
        _ => differences.push(format!("{place}: {ours} is {theirs}")),
    }
}

/// A value that is read as it was written, and then judged.
fn judge<T: DeserializeOwned>(
    value: &Value,
    verdict: impl Fn(T) -> Result<(), String>,
) -> Result<(), String> {
    verdict(serde_json::from_value(value.clone()).map_err(|error| error.to_string())?)
}

fn check(kind: &str, value: &Value) -> Result<(), String> {
    match kind {
        "status" => round_trip::<views::StatusResponse>(value),
        "block" => round_trip::<types::blocks::RpcBlockResponse>(value)
            .and_then(|()| judge(&value["header"], light_client::header)),
        "light_client_proof" => {
            round_trip::<types::light_client::RpcLightClientExecutionProofResponse>(&value["proof"])
                .and_then(|()| judge(value, light_client::outcome))
        }
        "light_client_block_proof" => {
            round_trip::<types::light_client::RpcLightClientBlockProofResponse>(&value["proof"])
                .and_then(|()| judge(value, light_client::block))
        }
        "chunk" => round_trip::<types::chunks::RpcChunkResponse>(value),
        "validators" => round_trip::<types::validator::RpcValidatorResponse>(value),
        "gas_price" => round_trip::<types::gas_price::RpcGasPriceResponse>(value),
        "query" => round_trip::<types::query::RpcQueryResponse>(value),
        "transaction" => round_trip::<types::transactions::RpcTransactionResponse>(value),
        "receipt" => round_trip::<types::receipts::RpcReceiptResponse>(value),
        "protocol_config" => round_trip::<types::config::RpcProtocolConfigResponse>(value),
        "stream" => round_trip::<StreamerMessage>(value),
        "error" => round_trip::<RpcError>(value),
        "query_error" => round_trip::<types::query::RpcQueryError>(value),
        "light_client_error" => round_trip::<types::light_client::RpcLightClientProofError>(value),
        "transaction_error" => round_trip::<types::transactions::RpcTransactionError>(value),
        _ => Err(format!("no such type: {kind}")),
    }
}

fn main() {
    for line in std::io::stdin().lock().lines() {
        let line: Value =
            serde_json::from_str(&line.expect("stdin is text")).expect("each line is JSON");
        match check(line["type"].as_str().unwrap_or_default(), &line["value"]) {
            Ok(()) => println!("ok"),
            Err(reason) => println!("{reason}"),
        }
    }
}
