"""Reading wasm modules: bounds-checked, and no more of the format than a NEAR contract may use."""
