//! Which statuses are healthy. Pure.

/// What `--status` accepts: a list of inclusive ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses {
    ranges: Vec<(u16, u16)>,
    text: String,
}

impl Default for Statuses {
    fn default() -> Self {
        Statuses {
            ranges: vec![(200, 299)],
            text: "200-299".into(),
        }
    }
}

impl Statuses {
    /// Parses `200`, `2xx`, `200-399`, or several of these joined by `,`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the list.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let ranges = text.split(',').map(range).collect::<Result<Vec<_>, _>>()?;
        Ok(Statuses {
            ranges,
            text: text.to_owned(),
        })
    }

    /// Whether `status` is in the list.
    pub fn contains(&self, status: u16) -> bool {
        self.ranges
            .iter()
            .any(|&(low, high)| (low..=high).contains(&status))
    }

    /// The list as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn range(item: &str) -> Result<(u16, u16), &'static str> {
    const FORM: &str = "is no list of statuses such as 200, 2xx or 200-399,404";
    let code = |text: &str| match text.as_bytes() {
        [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9'] => text.parse::<u16>().map_err(|_| FORM),
        _ => Err(FORM),
    };
    let (low, high) = match (item.split_once('-'), item.as_bytes()) {
        (Some((low, high)), _) => (code(low)?, code(high)?),
        (None, [hundreds @ b'1'..=b'9', b'x' | b'X', b'x' | b'X']) => {
            let low = u16::from(hundreds - b'0') * 100;
            (low, low + 99)
        }
        (None, _) => (code(item)?, code(item)?),
    };
    if low > high {
        Err("has a range that ends before it begins")
    } else if high < 200 && (low, high) != (101, 101) {
        Err("has a 1xx status: only 101 ends an exchange, the others are skipped")
    } else {
        Ok((low, high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses() {
        let in_list = |list: &str, status| Statuses::parse(list).unwrap().contains(status);
        assert!(in_list("200", 200) && !in_list("200", 201));
        assert!(in_list("2xx", 200) && in_list("2XX", 299) && !in_list("2xx", 300));
        assert!(in_list("200-399", 302) && !in_list("200-399", 400));
        assert!(in_list("200,404,5xx", 404) && in_list("200,404,5xx", 503));
        assert!(in_list("100-599", 204));
        assert!(Statuses::default().contains(299) && !Statuses::default().contains(199));
        for bad in [
            "",
            ",",
            "200,",
            ",200",
            "abc",
            "20",
            "2000",
            "099",
            "000",
            "2x",
            "2x0",
            "x00",
            "xx",
            "0xx",
            "200-",
            "-200",
            "399-200",
            "200--399",
            "200 ",
            " 200",
            "200, 204",
            "+200",
            "2xx-3xx",
            "1xx",
            "100",
            "101-199",
            "２００",
            "200;204",
            "1e2",
        ] {
            assert!(Statuses::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }
}
