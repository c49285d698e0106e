//! Entry points, by feature.

mod arguments;
mod collateral;
mod key_added;
mod measurements;
mod migration;
mod owner;
mod register;
mod removal;
mod views;
