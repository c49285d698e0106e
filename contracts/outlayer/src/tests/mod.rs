//! Entry points together, on the little chain of `world`.

mod access;
mod laws;
mod requests;
mod storage;
