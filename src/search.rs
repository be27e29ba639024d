//! The one search for a text in bytes. It takes time linear in both, so that no service can send a reply that takes long
//! to search.

use memchr::arch::all::twoway::Finder;

/// Where `needle` first begins in `haystack`. An empty needle is found at the beginning.
///
/// This is memchr's portable algorithm. `memchr::memmem` would add the code for vector instructions, which a body of 1 MiB
/// does not need.
pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    Finder::new(needle).find(haystack, needle)
}

/// Whether `needle` is somewhere in `haystack`.
pub fn contains(haystack: &[u8], needle: &str) -> bool {
    find(haystack, needle.as_bytes()).is_some()
}

/// `str::split_once`, with the search that the program has already: the standard library's would be 3 KB more.
pub fn split_once<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    let at = find(text.as_bytes(), mark.as_bytes())?;
    Some((&text[..at], &text[at + mark.len()..]))
}

/// Texts with a text between them. `[String]::join` would cost 800 bytes.
pub fn joined<T: AsRef<str>>(texts: &[T], between: &str) -> String {
    let mut all = String::new();
    for (at, text) in texts.iter().enumerate() {
        all.push_str(if at > 0 { between } else { "" });
        all.push_str(text.as_ref());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_the_standard_library_finds(haystack in "[ab\u{e9}]{0,200}", needle in "[ab\u{e9}]{0,12}") {
            prop_assert_eq!(find(haystack.as_bytes(), needle.as_bytes()), haystack.find(&needle));
        }
    }

    #[test]
    fn bytes_need_not_be_utf_8() {
        assert_eq!(find(b"\xff\xfeUP\xff", b"UP"), Some(2));
        assert_eq!(find(b"", b""), Some(0));
        assert_eq!(find(b"", b"a"), None);
        assert!(contains("gr\u{f6}\u{df}e".as_bytes(), "\u{df}"));
    }
}
