//! The one DCAP verification of a call, under the root that was fixed at the start.

use dcap_qvl::verify::QuoteVerifier;
use der::Decode;

use crate::collateral::Collateral;
use crate::error::{RootError, VerificationError};
use crate::measurements::Measurements;
use crate::quote::{measurements_of, Claimed};
use crate::text;

/// Intel SGX Provisioning Certification Root CA, DER, as Intel publishes it (SGX_RootCA.der in tests/vectors/quotes).
const INTEL_ROOT_CA_DER: &[u8] = include_bytes!("intel_root_ca.der");

const MAX_ROOT_BYTES: usize = 4_096;

/// What a verified quote says.
#[derive(Debug)]
pub struct Verified {
    pub measurements: Measurements,
    pub report_data: [u8; 64],
    /// Of the platform and the quoting enclave together, as Intel's PCS names it.
    pub tcb_status: String,
    pub advisory_ids: Vec<String>,
}

/// The root certificate, Intel's unless one is given.
pub fn root(root_ca_der_hex: Option<&str>) -> Result<Vec<u8>, RootError> {
    let Some(hex) = root_ca_der_hex else { return Ok(INTEL_ROOT_CA_DER.to_vec()) };
    if hex.len() > 2 * MAX_ROOT_BYTES {
        return Err(RootError::TooLong { bytes: hex.len() / 2, max: MAX_ROOT_BYTES });
    }
    let root = text::from_hex(hex).ok_or(RootError::Unreadable)?;
    x509_cert::Certificate::from_der(&root).map_err(|_| RootError::Unreadable)?;
    Ok(root)
}

/// Signature chains to the root, revocation, validity, TCB levels of platform, TDX module and quoting enclave, and the TD's attributes
/// (a TD under debug is refused): all that Intel's own library judges. What is good enough is the policy's to say.
pub fn verify(claimed: &Claimed, collateral: &Collateral, root_ca_der: &[u8], now_s: u64) -> Result<Verified, VerificationError> {
    if claimed.fmspc != collateral.facts.fmspc {
        let (quote, collateral) = (text::to_hex(&claimed.fmspc), text::to_hex(&collateral.facts.fmspc));
        return Err(VerificationError::Fmspc { quote, collateral });
    }
    let verifier = QuoteVerifier::new(root_ca_der.to_vec());
    let verified = verifier
        .verify(&claimed.bytes, &collateral.for_dcap(), now_s)
        .map_err(|e| VerificationError::Refused { reason: text::shorten(&format!("{e:#}"), 400) })?;
    let report = verified.report.as_td10().ok_or_else(|| VerificationError::Refused { reason: "the quote holds no TD report".into() })?;
    Ok(Verified {
        measurements: measurements_of(report),
        report_data: report.report_data,
        tcb_status: verified.status,
        advisory_ids: verified.advisory_ids,
    })
}
