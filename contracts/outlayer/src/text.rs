//! Small rules about strings.

/// The longest prefix of at most `max_bytes` that ends between characters.
pub fn shorten(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_string();
    }
    let end = (0..=max_bytes).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    text[..end].to_string()
}

/// Letters, digits, `.`, `_` and `-`: nothing that has to be escaped anywhere.
pub fn is_label(text: &str, max_bytes: usize) -> bool {
    !text.is_empty() && text.len() <= max_bytes && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// 32 bytes from 64 hex digits of either case.
pub fn sha256_from_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digit = |c: u8| char::from(c).to_digit(16);
        *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
    }
    Some(bytes)
}

/// Lower-case hex.
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)].into());
        text.push(DIGITS[usize::from(byte & 15)].into());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(shorten("añb", 2), "a");
        assert_eq!(shorten("añb", 3), "añ");
        assert_eq!(shorten("añb", 4), "añb");
        assert_eq!(shorten("ñ", 0), "");
    }

    #[test]
    fn hex_of_either_case_is_read_and_lower_case_is_written() {
        let bytes = sha256_from_hex(&"aB".repeat(32)).unwrap();
        assert_eq!(to_hex(&bytes), "ab".repeat(32));
        assert_eq!(sha256_from_hex(&"g".repeat(64)), None);
        assert_eq!(sha256_from_hex(&"a".repeat(63)), None);
        assert_eq!(sha256_from_hex(&"é".repeat(32)), None);
    }

    #[test]
    fn a_label_has_nothing_to_escape() {
        assert!(is_label("near-outlayer_1.0", 32));
        assert!(!is_label("", 32));
        assert!(!is_label("a b", 32));
        assert!(!is_label("quote\"", 32));
        assert!(!is_label("toolong", 3));
    }
}
