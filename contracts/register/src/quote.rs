//! A TDX quote before anything of it is believed: its frame is exact, and what it claims can be read.
//!
//! Source: Intel TDX DCAP Quoting Library API, A.3 (quote version 4 and 5).

use dcap_qvl::quote::{Quote, TDReport10};
use kit::text;

use crate::error::QuoteError;
use crate::measurements::Measurements;

/// The sample quotes have 5 KB; the rest is room for longer certificate chains.
const MAX_QUOTE_BYTES: usize = 16_384;

const HEADER_BYTES: usize = 48;
const TD_REPORT_10_BYTES: usize = 584;
const TEE_TYPE_TDX: u32 = 0x81;
/// QE report with its signature and certificates, and within: a PCK certificate chain in PEM.
const QE_REPORT_CERTIFICATION_DATA: u16 = 6;
const PCK_CERTIFICATE_CHAIN: u16 = 5;

/// What a quote claims, and its bytes. Claims are facts only after `verification::verify`.
pub struct Claimed {
    pub bytes: Vec<u8>,
    pub fmspc: [u8; 6],
    /// The CA's certificate in the quote's own chain.
    pub pck_ca_der: Vec<u8>,
    pub measurements: Measurements,
    pub report_data: [u8; 64],
}

impl Claimed {
    pub fn parse(hex: &str) -> Result<Self, QuoteError> {
        if hex.len() > 2 * MAX_QUOTE_BYTES {
            return Err(QuoteError::TooLong { bytes: hex.len() / 2, max: MAX_QUOTE_BYTES });
        }
        let bytes = text::from_hex(hex).ok_or(QuoteError::Hex)?;
        check_frame(&bytes)?;
        let quote = Quote::parse(&bytes).map_err(|e| QuoteError::Unreadable { reason: format!("{e:#}") })?;
        let unreadable = |e| QuoteError::Certificate { reason: format!("{e:#}") };
        let mut chain = dcap_qvl::intel::extract_cert_chain(&quote).map_err(unreadable)?.into_iter();
        let (Some(pck), Some(pck_ca_der)) = (chain.next(), chain.next()) else {
            return Err(QuoteError::Certificate { reason: "its CA's certificate is missing".to_string() });
        };
        let fmspc = dcap_qvl::intel::parse_pck_extension(&pck).map_err(unreadable)?.fmspc;
        let report = quote.report.as_td10().ok_or(QuoteError::NotTdx { tee_type: quote.header.tee_type })?;
        Ok(Self { fmspc, pck_ca_der, measurements: measurements_of(report), report_data: report.report_data, bytes })
    }
}

pub fn measurements_of(report: &TDReport10) -> Measurements {
    Measurements { mrtd: report.mr_td, rtmr0: report.rt_mr0, rtmr1: report.rt_mr1, rtmr2: report.rt_mr2, rtmr3: report.rt_mr3 }
}

/// Every length within the quote is exactly that of what it holds: nothing is cut short, and no byte trails at any level.
fn check_frame(quote: &[u8]) -> Result<(), QuoteError> {
    let mut rest = Cursor(quote);
    let version = rest.u16("version")?;
    rest.skip(2, "attestation key type")?;
    let tee_type = rest.u32("TEE type")?;
    if tee_type != TEE_TYPE_TDX {
        return Err(QuoteError::NotTdx { tee_type });
    }
    rest.skip(HEADER_BYTES - 8, "header")?;
    match version {
        4 => rest.skip(TD_REPORT_10_BYTES, "TD report")?,
        5 => {
            rest.skip(2, "body type")?;
            let body_bytes = rest.u32("body size")?;
            rest.skip(body_bytes as usize, "TD report")?;
        }
        _ => return Err(QuoteError::Version { version }),
    }
    let mut signature = rest.sized("signature data of the quote")?;
    rest.end("quote")?;
    signature.skip(64 + 64, "signature and attestation key")?;
    signature.expect_type("certification data", QE_REPORT_CERTIFICATION_DATA)?;
    let mut certification = signature.sized("certification data")?;
    signature.end("signature data of the quote")?;
    certification.skip(384 + 64, "QE report and signature")?;
    let auth_bytes = certification.u16("QE authentication data size")?;
    certification.skip(auth_bytes.into(), "QE authentication data")?;
    certification.expect_type("PCK certification data", PCK_CERTIFICATE_CHAIN)?;
    certification.sized("PCK certificate chain")?;
    certification.end("certification data of the quote")
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, bytes: usize, part: &'static str) -> Result<&'a [u8], QuoteError> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(QuoteError::CutShort { part, needed: bytes, left: self.0.len() })?;
        self.0 = rest;
        Ok(taken)
    }

    fn skip(&mut self, bytes: usize, part: &'static str) -> Result<(), QuoteError> {
        self.take(bytes, part).map(|_| ())
    }

    fn u16(&mut self, part: &'static str) -> Result<u16, QuoteError> {
        let bytes = self.take(2, part)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    fn u32(&mut self, part: &'static str) -> Result<u32, QuoteError> {
        let bytes = self.take(4, part)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// What a length of four bytes goes before.
    fn sized(&mut self, part: &'static str) -> Result<Cursor<'a>, QuoteError> {
        let bytes = self.u32(part)?;
        self.take(bytes as usize, part).map(Cursor)
    }

    fn expect_type(&mut self, part: &'static str, expected: u16) -> Result<(), QuoteError> {
        let found = self.u16(part)?;
        if found != expected {
            return Err(QuoteError::CertificationType { part, found, expected });
        }
        Ok(())
    }

    fn end(&self, part: &'static str) -> Result<(), QuoteError> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(QuoteError::Trailing { part, bytes: self.0.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A real one, without the zeros that fill up its buffer.
    fn real() -> Vec<u8> {
        let file = include_bytes!("../../../tests/vectors/quotes/tdx_quote");
        let signature_bytes = u32::from_le_bytes(file[632..636].try_into().unwrap()) as usize;
        file[..636 + signature_bytes].to_vec()
    }

    #[test]
    fn a_real_quote_fills_its_frame_exactly() {
        assert_eq!(check_frame(&real()), Ok(()));
        assert_eq!(Claimed::parse(&text::to_hex(&real())).unwrap().fmspc, [0xb0, 0xc0, 0x6f, 0, 0, 0]);
    }

    #[test]
    fn every_quote_cut_short_is_refused_as_that() {
        let quote = real();
        for bytes in 0..quote.len() {
            assert!(matches!(check_frame(&quote[..bytes]), Err(QuoteError::CutShort { .. })), "{bytes}");
        }
    }

    #[test]
    fn every_length_is_exact() {
        let mut longer = real();
        longer.push(0);
        assert!(matches!(check_frame(&longer), Err(QuoteError::Trailing { bytes: 1, .. })));
        // Lengths of signature data, certification data, QE authentication data and PCK certificate chain.
        for offset in [632, 766, 1_218, 1_254] {
            for changed in [real()[offset].wrapping_add(1), real()[offset].wrapping_sub(1)] {
                let mut quote = real();
                quote[offset] = changed;
                assert!(check_frame(&quote).is_err(), "{offset}");
            }
        }
    }
}
