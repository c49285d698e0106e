//! Small rules about strings.

/// The longest prefix of at most `max_bytes` that ends between characters.
pub fn shorten(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_string();
    }
    let end = (0..=max_bytes).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    text[..end].to_string()
}

/// Bytes from hex digits of either case.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() % 2 != 0 {
        return None;
    }
    text.as_bytes().chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

/// Exactly `N` bytes from hex digits of either case.
pub fn array_from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    from_hex(text)?.try_into().ok()
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

fn digit(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        b'A'..=b'F' => Some(c - b'A' + 10),
        _ => None,
    }
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
        assert_eq!(from_hex("00fFaB"), Some(vec![0, 255, 0xab]));
        assert_eq!(to_hex(&[0, 255, 0xab]), "00ffab");
        assert_eq!(array_from_hex::<2>("0102"), Some([1, 2]));
        assert_eq!(to_hex(&array_from_hex::<32>(&"aB".repeat(32)).unwrap()), "ab".repeat(32));
    }

    #[test]
    fn what_is_not_hex_is_refused() {
        for bad in ["0", "0g", "é", "0x", " 0"] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
        assert_eq!(array_from_hex::<2>("010203"), None);
        assert_eq!(array_from_hex::<32>(&"é".repeat(32)), None);
    }
}
