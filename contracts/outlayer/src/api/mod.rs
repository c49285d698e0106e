//! Entry points, by feature.

mod answers;
mod callbacks;
mod cancel;
mod claims;
mod migration;
mod owner;
mod projects;
mod requests;
mod secrets;
mod settle;
mod views;
