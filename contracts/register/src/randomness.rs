//! ring asks for a source of randomness at link time. Verifying needs none, and a contract must not have one.

#[cfg(target_arch = "wasm32")]
fn refuse(_: &mut [u8]) -> Result<(), getrandom::Error> {
    Err(getrandom::Error::UNSUPPORTED)
}

#[cfg(target_arch = "wasm32")]
getrandom::register_custom_getrandom!(refuse);
