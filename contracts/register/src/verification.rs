//! The one DCAP verification of a call, under the root that was fixed at the start.

use dcap_qvl::verify::QuoteVerifier;
use der::Decode;
use kit::text;

use crate::collateral::Collateral;
use crate::error::{RootError, VerificationError};
use crate::measurements::Measurements;
use crate::quote::{measurements_of, Claimed};

/// Intel SGX Root CA, DER: https://certificates.trustedservices.intel.com/Intel_SGX_Provisioning_Certification_RootCA.cer
const INTEL_ROOT_CA_DER: &[u8] = include_bytes!("intel_root_ca.der");

const MAX_ROOT_BYTES: usize = 4_096;

/// What a verified quote says.
#[derive(Debug, PartialEq)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collateral::CollateralArgument;

    const AT_S: u64 = 1_750_860_000;

    fn collateral() -> Collateral {
        near_sdk::testing_env!(near_sdk::test_utils::VMContextBuilder::new().build());
        let json = include_str!("../../../tests/vectors/quotes/tdx_quote_collateral.json");
        Collateral::parse(serde_json::from_str::<CollateralArgument>(json).unwrap().0).unwrap()
    }

    fn quote() -> Vec<u8> {
        let file = include_bytes!("../../../tests/vectors/quotes/tdx_quote");
        let signature_bytes = u32::from_le_bytes(file[632..636].try_into().unwrap()) as usize;
        file[..636 + signature_bytes].to_vec()
    }

    fn verified(quote: &[u8], collateral: &Collateral) -> Option<Verified> {
        let claimed = Claimed::parse(&text::to_hex(quote)).ok()?;
        verify(&claimed, collateral, &root(None).unwrap(), AT_S).ok()
    }

    #[test]
    fn a_real_quote_verifies_under_intels_root() {
        assert_eq!(verified(&quote(), &collateral()).unwrap().tcb_status, "UpToDate");
    }

    /// Some bytes are nobody's: line ends and the root within the chain in PEM, reserved ones of the header's tail are signed.
    #[test]
    fn a_quote_with_any_byte_changed_is_refused_or_says_the_same() {
        let (collateral, original) = (collateral(), quote());
        let says = verified(&original, &collateral).unwrap();
        for at in 0..original.len() {
            let mut mutant = original.clone();
            mutant[at] ^= 1 << (at % 8);
            if let Some(mutant_says) = verified(&mutant, &collateral) {
                assert!(at >= 1_258, "byte {at} is signed, or a signature");
                assert_eq!(mutant_says, says, "byte {at}");
            }
        }
    }

    #[test]
    fn a_root_is_a_certificate_of_bounded_length() {
        assert_eq!(root(Some(&text::to_hex(INTEL_ROOT_CA_DER))).unwrap(), INTEL_ROOT_CA_DER);
        assert_eq!(root(Some("00")), Err(RootError::Unreadable));
        assert!(matches!(root(Some(&"00".repeat(4_097))), Err(RootError::TooLong { bytes: 4_097, .. })));
    }
}
