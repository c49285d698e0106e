//! What a request may use at most, and what the owner allows at most.

use near_sdk::near;

use crate::error::LimitError;

/// `resource_limits` as callers send it; what is left out has a default.
#[near(serializers = [json])]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResourceLimits {
    pub max_instructions: Option<u64>,
    pub max_memory_mb: Option<u32>,
    pub max_execution_seconds: Option<u64>,
}

/// The limits of one request, complete.
#[near(serializers = [borsh, json])]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    pub max_instructions: u64,
    pub max_memory_mb: u32,
    pub max_execution_seconds: u64,
}

/// What limits may ask for at most; owner-settable up to `Caps::HIGHEST`.
#[near(serializers = [borsh])]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Caps {
    pub max_instructions: u64,
    pub max_execution_seconds: u64,
}

impl Caps {
    pub const DEFAULT: Self = Self { max_instructions: 100_000_000_000, max_execution_seconds: 60 };
    pub const HIGHEST: Self = Self { max_instructions: 500_000_000_000, max_execution_seconds: 180 };

    /// Caps that the owner may set.
    pub fn settable(self) -> Result<Self, LimitError> {
        between("max_instructions", self.max_instructions, Self::HIGHEST.max_instructions)?;
        between("max_execution_seconds", self.max_execution_seconds, Self::HIGHEST.max_execution_seconds)?;
        Ok(self)
    }
}

/// The whole address space of a 32-bit module.
pub const MAX_MEMORY_MB: u32 = 4096;

/// The worker gives a build up after this time; compile time is billed up to it.
pub const MAX_COMPILE_SECONDS: u64 = 300;

impl Limits {
    pub const DEFAULT: Self = Self { max_instructions: 1_000_000_000, max_memory_mb: 128, max_execution_seconds: 60 };

    /// Fills in what was left out and holds it against the caps.
    pub fn within(asked: &ResourceLimits, caps: &Caps) -> Result<Self, LimitError> {
        let limits = Self::of(asked);
        between("max_instructions", limits.max_instructions, caps.max_instructions)?;
        between("max_memory_mb", limits.max_memory_mb.into(), MAX_MEMORY_MB.into())?;
        between("max_execution_seconds", limits.max_execution_seconds, caps.max_execution_seconds)?;
        Ok(limits)
    }

    /// Fills in what was left out.
    pub fn of(asked: &ResourceLimits) -> Self {
        Self {
            max_instructions: asked.max_instructions.unwrap_or(Self::DEFAULT.max_instructions),
            max_memory_mb: asked.max_memory_mb.unwrap_or(Self::DEFAULT.max_memory_mb),
            max_execution_seconds: asked.max_execution_seconds.unwrap_or(Self::DEFAULT.max_execution_seconds),
        }
    }
}

fn between(name: &'static str, value: u64, max: u64) -> Result<(), LimitError> {
    match value {
        0 => Err(LimitError::Zero { name }),
        _ if value > max => Err(LimitError::TooHigh { name, value, max }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_object_means_the_defaults() {
        assert_eq!(Limits::within(&ResourceLimits::default(), &Caps::DEFAULT), Ok(Limits::DEFAULT));
    }

    #[test]
    fn a_limit_above_its_cap_is_refused_with_both_figures() {
        let asked = ResourceLimits { max_execution_seconds: Some(61), ..Default::default() };
        let refused = Limits::within(&asked, &Caps::DEFAULT).unwrap_err();
        assert_eq!(refused, LimitError::TooHigh { name: "max_execution_seconds", value: 61, max: 60 });
        assert!(refused.to_string().contains("61") && refused.to_string().contains("60"));
    }

    #[test]
    fn a_limit_of_zero_is_refused() {
        let asked = ResourceLimits { max_memory_mb: Some(0), ..Default::default() };
        assert_eq!(Limits::within(&asked, &Caps::DEFAULT), Err(LimitError::Zero { name: "max_memory_mb" }));
    }

    #[test]
    fn caps_can_be_raised_to_the_highest_and_no_further() {
        assert_eq!(Caps::HIGHEST.settable(), Ok(Caps::HIGHEST));
        assert!(Caps { max_instructions: Caps::HIGHEST.max_instructions + 1, ..Caps::DEFAULT }.settable().is_err());
        assert!(Caps { max_execution_seconds: 0, ..Caps::DEFAULT }.settable().is_err());
    }
}
