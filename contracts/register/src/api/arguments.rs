//! Arguments that are written in more than one way.

use near_sdk::serde::de::{Deserializer, Error, Visitor};
use near_sdk::serde::{Deserialize, Serialize};

/// Nanoseconds since 1970: a number, or a decimal string where numbers lose digits (JavaScript).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(crate = "near_sdk::serde", transparent)]
pub struct TimeNs(pub u64);

impl<'de> Deserialize<'de> for TimeNs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrText;

        impl Visitor<'_> for NumberOrText {
            type Value = TimeNs;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("nanoseconds since 1970, a number or its decimal digits")
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<TimeNs, E> {
                Ok(TimeNs(value))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<TimeNs, E> {
                text.parse().map(TimeNs).map_err(|_| E::custom(format!("'{}' is no time in nanoseconds", kit::text::shorten(text, 40))))
            }
        }

        deserializer.deserialize_any(NumberOrText)
    }
}

#[cfg(feature = "abi")]
impl near_sdk::schemars::JsonSchema for TimeNs {
    fn schema_name() -> String {
        "TimeNs".to_string()
    }

    fn json_schema(generator: &mut near_sdk::schemars::r#gen::SchemaGenerator) -> near_sdk::schemars::schema::Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_from_a_number_and_from_its_digits() {
        for json in ["1750000000000000001", "\"1750000000000000001\""] {
            assert_eq!(serde_json::from_str::<TimeNs>(json).unwrap(), TimeNs(1_750_000_000_000_000_001));
        }
        for bad in ["-1", "1.5", "\"\"", "\"1e18\"", "true", "\"18446744073709551616\""] {
            assert!(serde_json::from_str::<TimeNs>(bad).is_err(), "{bad}");
        }
    }
}
