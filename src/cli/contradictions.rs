//! Options that contradict each other, or that no target uses.

use super::options::{Given, Kind, Row, Scope};
use super::{Usage, shown};
use crate::http::request;
use crate::protocol::Protocol;
use crate::search;
use std::ffi::OsStr;
use ureq::http::{HeaderName, HeaderValue, Method, header};

/// How often an option or a TARGET can be given. Nobody needs more; an http::HeaderMap panics at 32768, and each `--body`
/// is compared with each `--body-not`.
pub const MAX_TIMES: usize = 1000;

/// An option that was given, and how often.
pub type Used = (&'static Row, usize);

/// Counts an option.
///
/// # Errors
/// That it was given too often.
pub fn count(used: &mut Vec<Used>, row: &'static Row) -> Result<(), Usage> {
    match used.iter_mut().find(|(other, _)| other.long == row.long) {
        None => used.push((row, 1)),
        Some(_) if matches!(row.kind, Kind::One(_) | Kind::Line(_)) => {
            return Err(Usage(format!("--{}: given twice", row.long)));
        }
        Some((_, times)) if matches!(row.kind, Kind::Many(_)) && *times == MAX_TIMES => {
            return Err(too_often(&format!("--{}", row.long)));
        }
        Some((_, times)) => *times += 1,
    }
    Ok(())
}

/// That something was given more than [`MAX_TIMES`].
pub fn too_often(name: &str) -> Usage {
    Usage(format!("{name}: given more than {MAX_TIMES} times"))
}

/// Refuses an option that applies to none of the targets.
///
/// # Errors
/// [`Usage`], with the kinds of target that there are.
pub fn pointless(used: &[Used], protocols: &[&Protocol]) -> Result<(), Usage> {
    let is_pointless = |row: &Row| {
        !protocols
            .iter()
            .any(|protocol| row.scope.applies_to(protocol))
    };
    let Some((row, _)) = used.iter().find(|(row, _)| is_pointless(row)) else {
        return Ok(());
    };
    let mut kinds: Vec<&str> = Vec::new();
    for protocol in protocols {
        if !kinds.contains(&protocol.scheme) {
            kinds.push(protocol.scheme);
        }
    }
    Err(Usage(format!(
        "--{}: means nothing to a target of the kind {}",
        row.long,
        search::joined(&kinds, " or ")
    )))
}

/// Refuses options that contradict each other or the targets.
///
/// # Errors
/// [`Usage`], for the first contradiction.
pub fn contradictions(given: &Given, used: &[Used], targets: &[String]) -> Result<(), Usage> {
    let options = &given.options;
    let wrong = |text: String| Err(Usage(text));
    if let (Some((row, _)), false) = (
        used.iter().find(|(row, _)| row.scope == Scope::NoUrl),
        targets.is_empty(),
    ) {
        return wrong(format!(
            "--{}: the target says that already; give one or the other",
            row.long
        ));
    }
    if given.line.is_some() && (used.len() > 1 || !targets.is_empty()) {
        return wrong("--command: is all of a check, and nothing stands beside it".into());
    }
    if given.install.is_some() && (used.len() > 1 || !targets.is_empty()) {
        return wrong("--install: works only alone: nothing is checked".into());
    }
    if given.spare.is_some() && given.kill.is_none() {
        return wrong("--spare: means nothing without --kill".into());
    }
    if given.style.quiet && given.style.verbose {
        return wrong("--verbose: contradicts --quiet".into());
    }
    if options.method == Some(Method::HEAD) && !options.body.is_empty() {
        return wrong(
            "--method: \"HEAD\" asks for no body, and something is expected of the body".into(),
        );
    }
    let (texts, forbidden) = (&options.body.body, &options.body.body_not);
    // Of so many that to compare them takes time, nobody wrote each by hand: the check itself will tell.
    let are_few = texts.len() * forbidden.len() <= MAX_TIMES;
    let contradicts = |forbidden: &&String| {
        let mut texts = texts.iter();
        texts.any(|text| search::contains(text.as_bytes(), forbidden))
    };
    if let Some(text) = are_few
        .then(|| forbidden.iter().find(contradicts))
        .flatten()
    {
        let text = shown(OsStr::new(text));
        return wrong(format!("--body-not: \"{text}\" contradicts --body"));
    }
    let has = |wanted: HeaderName| {
        options
            .headers
            .iter()
            .filter(|(name, _)| *name == wanted)
            .count()
    };
    if has(header::AUTHORIZATION) > 0 && options.user.is_some() {
        return wrong("--header: Authorization contradicts --user".into());
    }
    if has(header::USER_AGENT) > 0 && options.user_agent.is_some() {
        return wrong("--header: User-Agent contradicts --user-agent".into());
    }
    if let Some(single) = doubled(&options.headers) {
        return wrong(format!("--header: {single} given twice"));
    }
    Ok(())
}

/// A header that was given more than once, and must not be.
pub fn doubled(headers: &[(HeaderName, HeaderValue)]) -> Option<HeaderName> {
    request::SINGLE.into_iter().find(|single| {
        let given = headers.iter().filter(|(name, _)| name == single);
        given.count() > 1
    })
}
