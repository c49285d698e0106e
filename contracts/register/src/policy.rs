//! Which platforms and which collateral are good enough. Set by the owner.

use kit::text;
use near_sdk::json_types::U64;
use near_sdk::near;

use crate::error::PolicyError;
use crate::facts::Facts;

const DAY_S: u64 = 24 * 60 * 60;
/// Above the ten minutes for which a quote is fresh, so that no quote outlives the registration it made.
const SHORTEST_LIFETIME_S: u64 = 60 * 60;
const LONGEST_LIFETIME_S: u64 = 365 * DAY_S;
const LONGEST_AGE_S: u64 = 365 * DAY_S;
const MOST_ADVISORIES: usize = 64;
const MAX_ADVISORY_BYTES: usize = 32;

/// Statuses that can be accepted, of Intel's PCS; Revoked never is.
const STATUSES: [&str; 8] = [
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
    "TDRelaunchAdvised",
    "TDRelaunchAdvisedConfigurationNeeded",
];

#[near(serializers = [borsh])]
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub accepted_tcb_statuses: Vec<String>,
    /// A platform that any other advisory applies to is refused.
    pub accepted_advisories: Vec<String>,
    pub min_tcb_evaluation_number: u32,
    pub max_tcb_evaluation_number: u32,
    pub lifetime_s: u64,
    /// Of TCB info, QE identity and the PCK revocation list; Intel issues them for 30 days. The root's list is issued for a year.
    pub max_collateral_age_s: u64,
}

/// `get_policy`.
#[near(serializers = [json])]
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyView {
    pub accepted_tcb_statuses: Vec<String>,
    pub accepted_advisories: Vec<String>,
    pub min_tcb_evaluation_data_number: u32,
    pub max_tcb_evaluation_data_number: u32,
    pub registration_lifetime_seconds: U64,
    pub max_collateral_age_seconds: U64,
}

/// `set_policy`: what is left out stays.
#[derive(Default)]
pub struct PolicyChange {
    pub accepted_tcb_statuses: Option<Vec<String>>,
    pub accepted_advisories: Option<Vec<String>>,
    pub min_tcb_evaluation_number: Option<u32>,
    pub max_tcb_evaluation_number: Option<u32>,
    pub lifetime_s: Option<u64>,
    pub max_collateral_age_s: Option<u64>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            accepted_tcb_statuses: vec![STATUSES[0].to_string()],
            accepted_advisories: Vec::new(),
            min_tcb_evaluation_number: 0,
            max_tcb_evaluation_number: u32::MAX,
            lifetime_s: 30 * DAY_S,
            max_collateral_age_s: 30 * DAY_S,
        }
    }
}

impl Policy {
    /// The policy with a change, if that can be set.
    pub fn with(&self, change: PolicyChange) -> Result<Self, PolicyError> {
        let now = self.clone();
        let policy = Self {
            accepted_tcb_statuses: change.accepted_tcb_statuses.unwrap_or(now.accepted_tcb_statuses),
            accepted_advisories: change.accepted_advisories.unwrap_or(now.accepted_advisories),
            min_tcb_evaluation_number: change.min_tcb_evaluation_number.unwrap_or(now.min_tcb_evaluation_number),
            max_tcb_evaluation_number: change.max_tcb_evaluation_number.unwrap_or(now.max_tcb_evaluation_number),
            lifetime_s: change.lifetime_s.unwrap_or(now.lifetime_s),
            max_collateral_age_s: change.max_collateral_age_s.unwrap_or(now.max_collateral_age_s),
        };
        if policy == *self {
            return Err(PolicyError::NothingToChange);
        }
        policy.settable()
    }

    fn settable(self) -> Result<Self, PolicyError> {
        if let Some(unknown) = self.accepted_tcb_statuses.iter().find(|status| !STATUSES.contains(&status.as_str())) {
            return Err(PolicyError::Status { value: text::shorten(unknown, 60), known: STATUSES.join(", ") });
        }
        if self.accepted_tcb_statuses.is_empty() {
            return Err(PolicyError::NoStatus);
        }
        if self.accepted_tcb_statuses.len() > STATUSES.len() || self.accepted_advisories.len() > MOST_ADVISORIES {
            return Err(PolicyError::TooMany { statuses: STATUSES.len(), advisories: MOST_ADVISORIES });
        }
        if let Some(odd) = self.accepted_advisories.iter().find(|id| !is_advisory(id)) {
            return Err(PolicyError::Advisory { value: text::shorten(odd, 60) });
        }
        let (min, max) = (self.min_tcb_evaluation_number, self.max_tcb_evaluation_number);
        if min > max {
            return Err(PolicyError::Range { min, max });
        }
        within("registration_lifetime_seconds", self.lifetime_s, SHORTEST_LIFETIME_S, LONGEST_LIFETIME_S)?;
        within("max_collateral_age_seconds", self.max_collateral_age_s, SHORTEST_LIFETIME_S, LONGEST_AGE_S)?;
        Ok(self)
    }

    /// Whether a platform's verdict is good enough.
    pub fn check_platform(&self, status: &str, advisory_ids: &[String]) -> Result<(), PolicyError> {
        if !self.accepted_tcb_statuses.iter().any(|accepted| accepted == status) {
            let (accepted, advisories) = (self.accepted_tcb_statuses.join(", "), advisory_ids.join(", "));
            return Err(PolicyError::Platform { status: status.to_string(), accepted, advisories });
        }
        match advisory_ids.iter().find(|id| !self.accepted_advisories.contains(id)) {
            Some(id) => Err(PolicyError::AdvisoryApplies { id: text::shorten(id, 60), status: status.to_string() }),
            None => Ok(()),
        }
    }

    /// Whether both evaluation numbers are in range.
    pub fn check_evaluation(&self, facts: &Facts) -> Result<(), PolicyError> {
        let (min, max) = (self.min_tcb_evaluation_number, self.max_tcb_evaluation_number);
        for (part, number) in [("tcb_info", facts.tcb_evaluation_number), ("qe_identity", facts.qe_evaluation_number)] {
            if number < min || number > max {
                return Err(PolicyError::Evaluation { part, number, min, max });
            }
        }
        Ok(())
    }

    /// Whether collateral is young enough to register with.
    pub fn check_age(&self, facts: &Facts, now_s: u64) -> Result<(), PolicyError> {
        let max_s = self.max_collateral_age_s;
        for (part, window) in [("tcb_info", facts.tcb_info), ("qe_identity", facts.qe_identity), ("pck_crl", facts.pck_crl)] {
            let age_s = now_s.saturating_sub(window.issued_s);
            if age_s > max_s {
                return Err(PolicyError::Age { part, age_s, max_s });
            }
        }
        Ok(())
    }

    pub fn view(&self) -> PolicyView {
        PolicyView {
            accepted_tcb_statuses: self.accepted_tcb_statuses.clone(),
            accepted_advisories: self.accepted_advisories.clone(),
            min_tcb_evaluation_data_number: self.min_tcb_evaluation_number,
            max_tcb_evaluation_data_number: self.max_tcb_evaluation_number,
            registration_lifetime_seconds: self.lifetime_s.into(),
            max_collateral_age_seconds: self.max_collateral_age_s.into(),
        }
    }
}

/// As Intel writes them: `INTEL-SA-00615`.
fn is_advisory(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_ADVISORY_BYTES && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn within(name: &'static str, value: u64, min: u64, max: u64) -> Result<(), PolicyError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(PolicyError::Seconds { name, value, min, max })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(accepted: &[&str]) -> PolicyChange {
        let statuses = accepted.iter().map(|status| status.to_string()).collect();
        PolicyChange { accepted_tcb_statuses: Some(statuses), ..Default::default() }
    }

    #[test]
    fn only_an_up_to_date_platform_without_advisories_is_good_at_first() {
        let policy = Policy::default();
        assert_eq!(policy.check_platform("UpToDate", &[]), Ok(()));
        assert!(matches!(policy.check_platform("OutOfDate", &[]), Err(PolicyError::Platform { .. })));
        let advisory = ["INTEL-SA-00615".to_string()];
        assert!(matches!(policy.check_platform("UpToDate", &advisory), Err(PolicyError::AdvisoryApplies { .. })));
    }

    #[test]
    fn every_status_but_revoked_can_be_accepted() {
        for status in STATUSES.iter().skip(1) {
            let policy = Policy::default().with(change(&[status])).unwrap();
            assert_eq!(policy.check_platform(status, &[]), Ok(()));
            assert!(policy.check_platform("UpToDate", &[]).is_err(), "what is not named is not accepted");
        }
        assert!(matches!(Policy::default().with(change(&["Revoked"])), Err(PolicyError::Status { .. })));
    }

    #[test]
    fn a_lifetime_is_never_shorter_than_a_quote_is_fresh() {
        assert!(SHORTEST_LIFETIME_S * 1_000_000_000 > crate::binding::MAX_AGE_NS);
        let short = PolicyChange { lifetime_s: Some(SHORTEST_LIFETIME_S - 1), ..Default::default() };
        assert!(matches!(Policy::default().with(short), Err(PolicyError::Seconds { .. })));
    }
}
