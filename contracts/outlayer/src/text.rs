//! Small rules about strings.

/// Letters, digits, `.`, `_` and `-`: nothing that has to be escaped anywhere.
pub fn is_label(text: &str, max_bytes: usize) -> bool {
    !text.is_empty() && text.len() <= max_bytes && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_nothing_to_escape() {
        assert!(is_label("near-outlayer_1.0", 32));
        assert!(!is_label("", 32));
        assert!(!is_label("a b", 32));
        assert!(!is_label("quote\"", 32));
        assert!(!is_label("toolong", 3));
    }
}
