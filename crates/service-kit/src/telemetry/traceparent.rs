//! The W3C trace context that a request comes with.

/// Whether a text is a `traceparent` header (<https://www.w3.org/TR/trace-context/#traceparent-header>): version, trace
/// id, parent id and flags in lower-case hex, ids not all zero. Later versions may add fields behind.
pub(crate) fn is_traceparent(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some((known, rest)) = bytes.split_at_checked(55) else { return false };
    let is_hex = |part: &[u8]| part.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let is_zero = |part: &[u8]| part.iter().all(|&b| b == b'0');
    let mut parts = known.split(|&b| b == b'-');
    let (Some(version), Some(trace), Some(parent), Some(flags), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let lengths = [version.len(), trace.len(), parent.len(), flags.len()] == [2, 32, 16, 2];
    let later = version != b"00" && rest.first() == Some(&b'-') && rest.iter().all(u8::is_ascii_graphic);
    lengths
        && [version, trace, parent, flags].into_iter().all(is_hex)
        && version != b"ff"
        && !is_zero(trace)
        && !is_zero(parent)
        && (rest.is_empty() || later)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_recommendation() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(is_traceparent(good));
        assert!(is_traceparent(&good.replace("00-0", "cc-0")));
        assert!(is_traceparent(&(good.replace("00-0", "cc-0") + "-what-the-future-will-be-like")));
        for bad in [
            String::new(),
            good.to_uppercase(),
            good.replace("00-0", "ff-0"),
            good.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            good.replace("b7ad6b7169203331", &"0".repeat(16)),
            format!("{good}-x"),
            good.replace("-b7", "b-7"),
            good.replace('c', "ü"),
        ] {
            assert!(!is_traceparent(&bad), "{bad}");
        }
    }
}
