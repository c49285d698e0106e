//! Prints the ABI (near-abi schema) of a contract that was built for this host with near-sdk's `__abi-generate`.
//!
//! Usage: `abi-writer LIBRARY NAME VERSION`. Each `#[near] impl` leaves a function `__near_abi_…` in the library that returns its part as JSON.

use std::error::Error;
use std::path::Path;
use std::{env, fs, slice};

use libloading::{Library, Symbol};
use near_abi::__private::ChunkedAbiEntry;
use near_abi::{AbiFunctionKind, AbiFunctionModifier, AbiMetadata, AbiRoot};
use object::{Object, ObjectSymbol};

const PREFIX: &str = "__near_abi_";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [library, name, version] = &arguments[..] else {
        return Err("usage: abi-writer LIBRARY NAME VERSION".into());
    };
    let parts = entries(Path::new(library))?;
    let whole = ChunkedAbiEntry::combine(parts).map_err(|e| format!("{library}: the parts of the ABI contradict each other: {e:?}"))?;
    let metadata = AbiMetadata { name: Some(name.clone()), version: Some(version.clone()), ..Default::default() };
    let mut root = whole.into_abi_root(metadata);
    call_what_is_private(&mut root);
    // Through a Value: its maps are sorted, so the text does not depend on the order of linking.
    println!("{}", serde_json::to_string_pretty(&serde_json::to_value(&root)?)?);
    Ok(())
}

/// near-sdk takes a method without `&mut self` for a view. A private one is none: promises call it, and it may write on its own.
fn call_what_is_private(root: &mut AbiRoot) {
    for function in &mut root.body.functions {
        if function.modifiers.contains(&AbiFunctionModifier::Private) {
            function.kind = AbiFunctionKind::Call;
        }
    }
}

/// The parts of all `impl` blocks, in the order of their names.
fn entries(path: &Path) -> Result<Vec<ChunkedAbiEntry>, Box<dyn Error>> {
    let names = symbols(path)?;
    if names.is_empty() {
        return Err(format!("{} has no {PREFIX}… functions: build it with --features abi", path.display()).into());
    }
    // SAFETY: the library is a contract of this workspace; its initialisers are those of Rust's std.
    let library = unsafe { Library::new(path)? };
    names.iter().map(|name| entry(&library, name)).collect()
}

fn symbols(path: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    let file = object::File::parse(&*bytes)?;
    let names = file.dynamic_symbols().filter_map(|symbol| symbol.name().ok());
    let mut names: Vec<String> = names.filter(|name| name.starts_with(PREFIX)).map(str::to_string).collect();
    names.sort();
    Ok(names)
}

fn entry(library: &Library, name: &str) -> Result<ChunkedAbiEntry, Box<dyn Error>> {
    // SAFETY: near-sdk-macros 5.24 gives these functions exactly this signature; the buffer is leaked on purpose, so it stays valid.
    let json = unsafe {
        let function: Symbol<extern "C" fn() -> (*const u8, usize)> = library.get(name.as_bytes())?;
        let (start, length) = function();
        slice::from_raw_parts(start, length)
    };
    Ok(serde_json::from_slice(json)?)
}
