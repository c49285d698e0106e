//! What is compared of collateral: its dates, its edition, its issuer. Signed like the rest, and believed once a quote is verified with it.

use kit::text;
use near_sdk::near;

use crate::dates::Window;
use crate::error::CollateralError;

/// How far TCB info and QE identity may be behind the stored: a PCCS fetches daily or weekly.
const MOST_BEHIND_S: u64 = 7 * 24 * 60 * 60;

#[near(serializers = [borsh])]
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    pub fmspc: [u8; 6],
    pub tcb_info: Window,
    pub tcb_evaluation_number: u32,
    pub qe_identity: Window,
    pub qe_evaluation_number: u32,
    pub root_crl: Window,
    pub pck_crl: Window,
    /// Of the issuer's name: platforms with several packages have another CA than the rest.
    pub pck_crl_issuer_sha256: [u8; 32],
}

impl Facts {
    fn windows(&self) -> [(&'static str, Window); 4] {
        [("tcb_info", self.tcb_info), ("qe_identity", self.qe_identity), ("root_ca_crl", self.root_crl), ("pck_crl", self.pck_crl)]
    }

    /// Every part is issued and none is expired.
    pub fn check_validity(&self, now_s: u64) -> Result<(), CollateralError> {
        for (part, window) in self.windows() {
            if window.issued_s > now_s {
                return Err(CollateralError::Future { part, issued_s: window.issued_s, now_s });
            }
            if window.next_update_s < now_s {
                return Err(CollateralError::Expired { part, next_update_s: window.next_update_s, now_s });
            }
        }
        Ok(())
    }

    /// `tcbEvaluationDataNumber` of TCB info and QE identity. Intel signs several at a time: the early edition has the highest, the
    /// standard one follows up to a year later.
    pub fn edition(&self) -> (u32, u32) {
        (self.tcb_evaluation_number, self.qe_evaluation_number)
    }

    /// Nothing is older than what is stored, and the revocation list is of the same CA.
    pub fn check_follows(&self, stored: &Self) -> Result<(), CollateralError> {
        if self.pck_crl_issuer_sha256 != stored.pck_crl_issuer_sha256 {
            return Err(CollateralError::OtherIssuer { fmspc: text::to_hex(&self.fmspc) });
        }
        for ((part, new), (_, old)) in self.windows().into_iter().zip(stored.windows()) {
            if new.issued_s < old.issued_s {
                return Err(CollateralError::RolledBack { part, issued_s: new.issued_s, stored_s: old.issued_s });
            }
        }
        Ok(())
    }

    /// What is used beside the stored counts as long as Intel signs it, which some caches know a few days late.
    pub fn check_still_signed(&self, stored: &Self) -> Result<(), CollateralError> {
        for ((part, new), (_, old)) in self.windows().into_iter().zip(stored.windows()).take(2) {
            if new.issued_s.saturating_add(MOST_BEHIND_S) < old.issued_s {
                let (issued_s, stored_s) = (new.issued_s, old.issued_s);
                return Err(CollateralError::LeftBehind { part, issued_s, stored_s, most_s: MOST_BEHIND_S });
            }
        }
        Ok(())
    }
}
