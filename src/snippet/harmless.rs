//! Which request headers hold no secrets.

/// Request headers whose values are no secrets. Everything else may be one.
const HARMLESS: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-language",
    "content-length",
    "content-type",
    "date",
    "dnt",
    "forwarded",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "keep-alive",
    "max-forwards",
    "pragma",
    "range",
    "traceparent",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
    "x-requested-with",
];

/// Whether the value of this request header is no secret.
pub fn is_harmless(name: &[u8]) -> bool {
    HARMLESS
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}
