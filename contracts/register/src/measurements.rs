//! The five measurements that say which software runs in a TD.

use kit::text;
use near_sdk::near;

use crate::error::MeasurementsError;

const BYTES: usize = 48;

/// As on the wire: 96 hex digits each.
#[near(serializers = [json])]
#[derive(Clone, Debug, PartialEq)]
pub struct MeasurementsHex {
    pub mrtd: String,
    pub rtmr0: String,
    pub rtmr1: String,
    pub rtmr2: String,
    pub rtmr3: String,
}

/// MRTD (firmware) and RTMR0 to RTMR3 (configuration, kernel, initrd and command line, application), SHA-384 each.
#[near(serializers = [borsh])]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurements {
    pub mrtd: [u8; BYTES],
    pub rtmr0: [u8; BYTES],
    pub rtmr1: [u8; BYTES],
    pub rtmr2: [u8; BYTES],
    pub rtmr3: [u8; BYTES],
}

impl Measurements {
    pub fn parse(hex: &MeasurementsHex) -> Result<Self, MeasurementsError> {
        Ok(Self {
            mrtd: parse_one("mrtd", &hex.mrtd)?,
            rtmr0: parse_one("rtmr0", &hex.rtmr0)?,
            rtmr1: parse_one("rtmr1", &hex.rtmr1)?,
            rtmr2: parse_one("rtmr2", &hex.rtmr2)?,
            rtmr3: parse_one("rtmr3", &hex.rtmr3)?,
        })
    }

    /// All five, one after another, 240 bytes.
    pub fn joined(&self) -> Vec<u8> {
        [self.mrtd, self.rtmr0, self.rtmr1, self.rtmr2, self.rtmr3].concat()
    }

    /// From what `joined` gave.
    pub fn split(joined: &[u8]) -> Option<Self> {
        if joined.len() != 5 * BYTES {
            return None;
        }
        let part = |nth: usize| joined[nth * BYTES..(nth + 1) * BYTES].try_into().ok();
        Some(Self { mrtd: part(0)?, rtmr0: part(1)?, rtmr1: part(2)?, rtmr2: part(3)?, rtmr3: part(4)? })
    }

    pub fn hex(&self) -> MeasurementsHex {
        MeasurementsHex {
            mrtd: text::to_hex(&self.mrtd),
            rtmr0: text::to_hex(&self.rtmr0),
            rtmr1: text::to_hex(&self.rtmr1),
            rtmr2: text::to_hex(&self.rtmr2),
            rtmr3: text::to_hex(&self.rtmr3),
        }
    }
}

pub fn parse_one(name: &'static str, hex: &str) -> Result<[u8; BYTES], MeasurementsError> {
    text::array_from_hex(hex).ok_or_else(|| MeasurementsError::Digits { name, value: text::shorten(hex, 100) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Measurements {
        Measurements { mrtd: [1; 48], rtmr0: [2; 48], rtmr1: [3; 48], rtmr2: [4; 48], rtmr3: [0xab; 48] }
    }

    #[test]
    fn measurements_survive_hex_and_joining() {
        assert_eq!(Measurements::parse(&sample().hex()), Ok(sample()));
        assert_eq!(Measurements::split(&sample().joined()), Some(sample()));
        assert_eq!(Measurements::split(&[0; 239]), None);
    }

    #[test]
    fn a_measurement_of_another_length_is_refused_by_name() {
        let hex = MeasurementsHex { rtmr2: "ab".into(), ..sample().hex() };
        let refused = Measurements::parse(&hex).unwrap_err();
        assert!(refused.to_string().contains("rtmr2") && refused.to_string().contains("96"), "{refused}");
    }
}
