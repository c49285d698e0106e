//! Collateral: what Intel says about platforms with one FMSPC, as anybody may bring it and as it is kept.

use dcap_qvl::QuoteCollateralV3;
use kit::text;
use near_sdk::serde::de::value::MapAccessDeserializer;
use near_sdk::serde::de::{Deserializer, Error, MapAccess, Visitor};
use near_sdk::serde::{Deserialize, Serialize};
use near_sdk::{env, near, AccountId};

use crate::dates::{parse_date, CrlFacts, Window};
use crate::error::CollateralError;
use crate::facts::Facts;

/// The longest signed part that is taken, hex digits counted; Intel's longest today is a TCB info of some 10 KB.
const MAX_PART_BYTES: usize = 65_536;

/// The longest certificate chain: Intel's have 2 KB. Text around the certificates is nobody's, and every verification reads it again.
const MAX_CHAIN_BYTES: usize = 8_192;

/// As dcap-qvl and a PCCS client have it: lists and signatures in hex, chains in PEM, TCB info and QE identity as the JSON text that was
/// signed.
#[near(serializers = [json])]
#[derive(Clone, Debug, PartialEq)]
pub struct CollateralParts {
    pub pck_crl_issuer_chain: String,
    pub root_ca_crl: String,
    pub pck_crl: String,
    pub tcb_info_issuer_chain: String,
    pub tcb_info: String,
    pub tcb_info_signature: String,
    pub qe_identity_issuer_chain: String,
    pub qe_identity: String,
    pub qe_identity_signature: String,
}

/// Collateral as an argument: an object, or the same as a JSON text, which the deployed contract takes.
#[derive(Clone, Debug, Serialize)]
#[serde(crate = "near_sdk::serde", transparent)]
pub struct CollateralArgument(pub CollateralParts);

/// Collateral with what is compared of it.
#[near(serializers = [borsh])]
#[derive(Clone, Debug, PartialEq)]
pub struct Collateral {
    parts: Decoded,
    pub facts: Facts,
}

/// The nine parts, with bytes where there was hex.
#[near(serializers = [borsh])]
#[derive(Clone, Debug, PartialEq)]
struct Decoded {
    pck_crl_issuer_chain: String,
    root_ca_crl: Vec<u8>,
    pck_crl: Vec<u8>,
    tcb_info_issuer_chain: String,
    tcb_info: String,
    tcb_info_signature: Vec<u8>,
    qe_identity_issuer_chain: String,
    qe_identity: String,
    qe_identity_signature: Vec<u8>,
}

#[near(serializers = [borsh])]
#[derive(Clone, Debug, PartialEq)]
pub struct StoredCollateral {
    pub collateral: Collateral,
    /// Has the storage deposit back when other collateral takes the place.
    pub payer: AccountId,
}

/// What TCB info and QE identity have in common; the verification reads the rest.
#[derive(Deserialize)]
#[serde(crate = "near_sdk::serde", rename_all = "camelCase")]
struct Dated {
    issue_date: String,
    next_update: String,
    tcb_evaluation_data_number: u32,
    fmspc: Option<String>,
}

impl Collateral {
    pub fn parse(parts: CollateralParts) -> Result<Self, CollateralError> {
        let parts = decode(parts)?;
        let (tcb, tcb_info) = dated("tcb_info", &parts.tcb_info)?;
        let (qe, qe_identity) = dated("qe_identity", &parts.qe_identity)?;
        let fmspc = tcb.fmspc.as_deref().and_then(text::array_from_hex);
        let root_crl = crl("root_ca_crl", &parts.root_ca_crl)?.window;
        let pck_crl = crl("pck_crl", &parts.pck_crl)?;
        let facts = Facts {
            fmspc: fmspc.ok_or(CollateralError::Unreadable { part: "tcb_info", expected: "an fmspc of 12 hex digits" })?,
            tcb_info,
            tcb_evaluation_number: tcb.tcb_evaluation_data_number,
            qe_identity,
            qe_evaluation_number: qe.tcb_evaluation_data_number,
            root_crl,
            pck_crl: pck_crl.window,
            pck_crl_issuer_sha256: env::sha256_array(pck_crl.issuer),
        };
        Ok(Self { parts, facts })
    }

    /// Name and PEM of each chain, and the certificate it must begin with, where that is known. Those of TCB info and QE identity are the
    /// same as a rule, and then one.
    pub fn chains<'a>(&'a self, pck_ca_der: &'a [u8]) -> Vec<(&'static str, &'a str, Option<&'a [u8]>)> {
        let (tcb_info, qe_identity) = (&self.parts.tcb_info_issuer_chain, &self.parts.qe_identity_issuer_chain);
        let lists = ("pck_crl_issuer_chain", self.parts.pck_crl_issuer_chain.as_str(), Some(pck_ca_der));
        let mut chains = vec![lists, ("tcb_info_issuer_chain", tcb_info, None)];
        if qe_identity != tcb_info {
            chains.push(("qe_identity_issuer_chain", qe_identity, None));
        }
        chains
    }

    /// For one use beside stored collateral that is of another edition, or no longer serves, and of the same CA: revocations are of no
    /// edition, so the newer lists count.
    pub fn beside(mut self, stored: Self) -> Result<Self, CollateralError> {
        self.facts.check_still_signed(&stored.facts)?;
        if self.facts.root_crl.issued_s < stored.facts.root_crl.issued_s {
            self.facts.root_crl = stored.facts.root_crl;
            self.parts.root_ca_crl = stored.parts.root_ca_crl;
        }
        if self.facts.pck_crl.issued_s < stored.facts.pck_crl.issued_s {
            self.facts.pck_crl = stored.facts.pck_crl;
            self.parts.pck_crl = stored.parts.pck_crl;
        }
        Ok(self)
    }

    /// For the verification. The PCK certificate is the quote's own, never one that somebody brings beside it.
    pub fn for_dcap(&self) -> QuoteCollateralV3 {
        let parts = self.parts.clone();
        QuoteCollateralV3 {
            pck_crl_issuer_chain: parts.pck_crl_issuer_chain,
            root_ca_crl: parts.root_ca_crl,
            pck_crl: parts.pck_crl,
            tcb_info_issuer_chain: parts.tcb_info_issuer_chain,
            tcb_info: parts.tcb_info,
            tcb_info_signature: parts.tcb_info_signature,
            qe_identity_issuer_chain: parts.qe_identity_issuer_chain,
            qe_identity: parts.qe_identity,
            qe_identity_signature: parts.qe_identity_signature,
            pck_certificate_chain: None,
        }
    }

    /// As it came.
    pub fn parts(&self) -> CollateralParts {
        let parts = self.parts.clone();
        CollateralParts {
            pck_crl_issuer_chain: parts.pck_crl_issuer_chain,
            root_ca_crl: text::to_hex(&parts.root_ca_crl),
            pck_crl: text::to_hex(&parts.pck_crl),
            tcb_info_issuer_chain: parts.tcb_info_issuer_chain,
            tcb_info: parts.tcb_info,
            tcb_info_signature: text::to_hex(&parts.tcb_info_signature),
            qe_identity_issuer_chain: parts.qe_identity_issuer_chain,
            qe_identity: parts.qe_identity,
            qe_identity_signature: text::to_hex(&parts.qe_identity_signature),
        }
    }
}

fn decode(parts: CollateralParts) -> Result<Decoded, CollateralError> {
    Ok(Decoded {
        pck_crl_issuer_chain: bounded("pck_crl_issuer_chain", parts.pck_crl_issuer_chain, MAX_CHAIN_BYTES)?,
        root_ca_crl: bytes("root_ca_crl", parts.root_ca_crl)?,
        pck_crl: bytes("pck_crl", parts.pck_crl)?,
        tcb_info_issuer_chain: bounded("tcb_info_issuer_chain", parts.tcb_info_issuer_chain, MAX_CHAIN_BYTES)?,
        tcb_info: bounded("tcb_info", parts.tcb_info, MAX_PART_BYTES)?,
        tcb_info_signature: bytes("tcb_info_signature", parts.tcb_info_signature)?,
        qe_identity_issuer_chain: bounded("qe_identity_issuer_chain", parts.qe_identity_issuer_chain, MAX_CHAIN_BYTES)?,
        qe_identity: bounded("qe_identity", parts.qe_identity, MAX_PART_BYTES)?,
        qe_identity_signature: bytes("qe_identity_signature", parts.qe_identity_signature)?,
    })
}

fn bounded(part: &'static str, value: String, max: usize) -> Result<String, CollateralError> {
    if value.len() > max {
        return Err(CollateralError::TooLong { part, bytes: value.len(), max });
    }
    Ok(value)
}

fn bytes(part: &'static str, hex: String) -> Result<Vec<u8>, CollateralError> {
    text::from_hex(&bounded(part, hex, MAX_PART_BYTES)?).ok_or(CollateralError::Unreadable { part, expected: "hex digits, two a byte" })
}

fn dated(part: &'static str, json: &str) -> Result<(Dated, Window), CollateralError> {
    let unreadable = || CollateralError::Unreadable {
        part,
        expected: "Intel's JSON text with issueDate, nextUpdate (as 2025-06-19T10:16:03Z) and tcbEvaluationDataNumber",
    };
    let dated: Dated = serde_json::from_str(json).map_err(|_| unreadable())?;
    let issued_s = parse_date(&dated.issue_date).ok_or_else(unreadable)?;
    let next_update_s = parse_date(&dated.next_update).ok_or_else(unreadable)?;
    Ok((dated, Window { issued_s, next_update_s }))
}

fn crl<'a>(part: &'static str, der: &'a [u8]) -> Result<CrlFacts<'a>, CollateralError> {
    CrlFacts::read(der).ok_or(CollateralError::Unreadable { part, expected: "a certificate revocation list in DER with a nextUpdate" })
}

impl<'de> Deserialize<'de> for CollateralArgument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrObject;

        impl<'de> Visitor<'de> for TextOrObject {
            type Value = CollateralArgument;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("collateral: an object, or its JSON text, with nine parts")
            }

            fn visit_str<E: Error>(self, json: &str) -> Result<Self::Value, E> {
                serde_json::from_str(json).map(CollateralArgument).map_err(|e| E::custom(format!("collateral: {e}")))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                CollateralParts::deserialize(MapAccessDeserializer::new(map)).map(CollateralArgument)
            }
        }

        deserializer.deserialize_any(TextOrObject)
    }
}

#[cfg(feature = "abi")]
impl near_sdk::schemars::JsonSchema for CollateralArgument {
    fn schema_name() -> String {
        CollateralParts::schema_name()
    }

    fn json_schema(generator: &mut near_sdk::schemars::r#gen::SchemaGenerator) -> near_sdk::schemars::schema::Schema {
        CollateralParts::json_schema(generator)
    }
}
