//! What the contracts with a state have in common: how records are kept and listed, who the owner is, how a state comes into newer code.
//!
//! Rules this crate keeps:
//! - Keys and values in the trie are those that deployed contracts have: a change here is a change of their layout.
//! - It knows no contract: tables and their tags, limits and money rules are theirs.

pub mod migration;
pub mod owner;
pub mod roster;
pub mod storage;
pub mod text;
