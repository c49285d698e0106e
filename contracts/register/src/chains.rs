//! Certificate chains of collateral that is stored: the signer's certificate, and the root where it comes along. A verification passes over
//! what trails along, or pays for it; those who read the chains more strictly would hold good collateral for bad, and bring older in vain.

use crate::collateral::Collateral;
use crate::error::VerificationError;

const TAG: &str = "CERTIFICATE";
const BLOCK: &str = "-----BEGIN";

/// Holds the three chains against what they are for: the lists' issuer is the CA in the quote's own chain (DER).
pub fn check(collateral: &Collateral, pck_ca_der: &[u8], root_ca_der: &[u8]) -> Result<(), VerificationError> {
    for (part, chain_pem, expected) in collateral.chains(pck_ca_der) {
        let chain = pem::parse_many(chain_pem).unwrap_or_default();
        let certificates: Vec<&[u8]> = chain.iter().filter(|block| block.tag() == TAG).map(|block| block.contents()).collect();
        let is_chain = match &certificates[..] {
            [signer] => is_signer(signer, expected),
            [signer, root] => is_signer(signer, expected) && *root == root_ca_der,
            _ => false,
        };
        // Blocks that do not end, or are of another kind, are nothing to this parser and an error to others.
        if !is_chain || certificates.len() != chain_pem.matches(BLOCK).count() {
            return Err(VerificationError::Chain { part });
        }
    }
    Ok(())
}

/// Who signs TCB info and QE identity is for the verification to say.
fn is_signer(signer: &[u8], expected: Option<&[u8]>) -> bool {
    expected.is_none_or(|expected| signer == expected)
}
