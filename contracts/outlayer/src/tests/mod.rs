//! Entry points together, on the little chain of `world`.

mod laws;
mod requests;
mod storage;
