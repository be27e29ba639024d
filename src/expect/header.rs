//! What is expected of a header. Pure.

use crate::verdict::{Snippet, Unmet};

/// What `--expect-header` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderExpectation {
    /// The name as it was given; names are compared without case.
    pub name: String,
    /// The value, without the blanks around it; none asks for the header alone.
    pub value: Option<String>,
}

impl HeaderExpectation {
    /// Judges the values that came under the name.
    ///
    /// # Errors
    /// [`Unmet`], when there is none, or none equal to the value expected.
    pub fn judge<'a>(&self, values: impl IntoIterator<Item = &'a [u8]>) -> Result<(), Unmet> {
        let mut values = values.into_iter();
        let Some(first) = values.next() else {
            return Err(Unmet::HeaderLacks {
                name: self.name.clone(),
            });
        };
        let mut all = std::iter::once(first).chain(values);
        match &self.value {
            Some(expected) if !all.any(|value| value.trim_ascii() == expected.as_bytes()) => {
                Err(Unmet::HeaderDiffers {
                    name: self.name.clone(),
                    expected: expected.clone(),
                    got: Snippet::new(first),
                })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let expect = |value: Option<&str>| HeaderExpectation {
            name: "X-A".into(),
            value: value.map(str::to_owned),
        };
        let came: [&[u8]; 2] = [b"one", b" two "];
        assert!(expect(None).judge(came).is_ok());
        assert!(expect(Some("two")).judge(came).is_ok());
        assert!(matches!(
            expect(Some("Two")).judge(came),
            Err(Unmet::HeaderDiffers { .. })
        ));
        assert!(matches!(
            expect(None).judge([]),
            Err(Unmet::HeaderLacks { .. })
        ));
        assert!(expect(Some("")).judge([b"".as_slice()]).is_ok());
    }
}
