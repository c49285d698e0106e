//! When the parts of collateral were issued and until when they hold; seconds since 1970.

use std::str::FromStr;

use der::asn1::AnyRef;
use der::{DateTime, Decode, Reader, SliceReader, Tag};
use near_sdk::near;
use x509_cert::time::Time;

/// From the issue to the announced update, both included.
#[near(serializers = [borsh])]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    pub issued_s: u64,
    pub next_update_s: u64,
}

/// Seconds of a date as Intel's JSON has it: `2025-06-19T10:16:03Z`.
pub fn parse_date(text: &str) -> Option<u64> {
    DateTime::from_str(text).ok().map(|date| date.unix_duration().as_secs())
}

/// What of a certificate revocation list is compared.
#[derive(Debug, PartialEq)]
pub struct CrlFacts<'a> {
    /// The issuer's name, DER.
    pub issuer: &'a [u8],
    pub window: Window,
}

impl<'a> CrlFacts<'a> {
    /// Reads the front of a CertificateList (RFC 5280, 5.1): version, algorithm, issuer, thisUpdate, nextUpdate. What follows is read,
    /// and the signature judged, by the verification.
    pub fn read(crl_der: &'a [u8]) -> Option<Self> {
        let list = AnyRef::from_der(crl_der).ok()?;
        let mut parts = SliceReader::new(list.value()).ok()?;
        let tbs = AnyRef::decode(&mut parts).ok()?;
        let mut fields = SliceReader::new(tbs.value()).ok()?;
        let first = AnyRef::decode(&mut fields).ok()?;
        if der::Tagged::tag(&first) == Tag::Integer {
            AnyRef::decode(&mut fields).ok()?;
        }
        let issuer = fields.tlv_bytes().ok()?;
        let issued = Time::decode(&mut fields).ok()?;
        let next_update = Time::decode(&mut fields).ok()?;
        let seconds = |time: Time| time.to_unix_duration().as_secs();
        Some(Self { issuer, window: Window { issued_s: seconds(issued), next_update_s: seconds(next_update) } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_to_the_second_and_nothing_else_is() {
        assert_eq!(parse_date("2025-06-19T10:16:03Z"), Some(1_750_328_163));
        for bad in ["2025-06-19T10:16:03+00:00", "2025-06-19", "2025-13-19T10:16:03Z", "", "2025-06-19T10:16:03Zé"] {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn bytes_that_are_no_list_have_no_facts() {
        for bad in [&[][..], &[0x30, 0x80], &[0x30, 0x03, 0x02, 0x01, 0x05], &[0xff; 40]] {
            assert_eq!(CrlFacts::read(bad), None);
        }
    }
}
