//! Rows of text, packed when the program is compiled: structs would be larger than all that they hold, and to compare what
//! rows do would take more than numbers.

/// The words of the rows, and the names of their numbers.
macro_rules! numbered {
    ($($word:literal $name:ident,)*) => {
        /// What options do, and what commands are.
        #[allow(dead_code, reason = "some are only in rows")]
        pub mod does {
            #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "they are names of constants")]
            enum Number { $($name),* }
            $(pub const $name: u8 = Number::$name as u8;)*
        }
        const WORDS: &[&str] = &[$($word),*];
    };
}

numbered! {
    // Texts.
    "host" HOST,
    "port" PORT,
    "user" USER,
    "password" PASSWORD,
    "database" DATABASE,
    "pattern" PATTERN,
    "format" FORMAT,
    // Flags.
    "-" NOTHING,
    "fail" FAIL,
    "get" GET,
    "json" JSON,
    "literal" LITERAL,
    "head" HEAD,
    "include" INCLUDE,
    "verbose" VERBOSE,
    "quiet" QUIET,
    "log" LOG,
    "dump" DUMP,
    "refused" REFUSED,
    "all" ALL,
    "zero" ZERO,
    "fixed" FIXED,
    "extended" EXTENDED,
    "nocase" NOCASE,
    "follow" FOLLOW,
    // These are set by values.
    "(no redirects)" NO_REDIRECTS,
    "stdout" STDOUT,
    "nowhere" NOWHERE,
    // What has a value of a certain form.
    "redirects" REDIRECTS,
    "time" TIME,
    "within" WITHIN,
    "pause" PAUSE,
    "retry" RETRY,
    "tries" TRIES,
    "method" METHOD,
    "header" HEADER,
    "data" DATA,
    "raw" RAW,
    "urlencode" URLENCODE,
    "login" LOGIN,
    "bearer" BEARER,
    "agent" AGENT,
    "referer" REFERER,
    "cookie" COOKIE,
    "range" RANGE,
    "url" URL,
    "socket" SOCKET,
    "v4" V4,
    "v6" V6,
    "output" OUTPUT,
    "stream" STREAM,
    "noise" NOISE,
    "execute" EXECUTE,
    // What is refused.
    "reads" READS,
    "writes" WRITES,
    "elsewhere" ELSEWHERE,
    "inverted" INVERTED,
    // Commands; those with options first.
    "curl" CURL,
    "wget" WGET,
    "nc" NC,
    "redis" REDIS,
    "postgres" POSTGRES,
    "mysql" MYSQL,
    "grep" GREP,
    "test" TEST,
    "prefix" PREFIX,
    "timeout" TIMEOUT,
    "own" OWN,
    "sh" SH,
    "true" TRUE,
    "false" FALSE,
    "exit" EXIT,
    "kill" KILL,
    // Words behind them.
    "equals" EQUALS,
    "less" LESS,
    "file" FILE,
    "regular" REGULAR,
    "signal" SIGNAL,
}

/// How many of the numbers are texts.
pub const TEXTS: usize = does::NOTHING as usize;

/// The first that is neither text nor flag.
pub const VALUES: u8 = does::REDIRECTS;

/// Packs rows: letter, what it does, mark of the value, length of the name, the name.
macro_rules! rows {
    ($text:expr) => {{
        const TEXT: &str = $text;
        const SIZE: usize = $crate::cli::shell::rows::pack(TEXT, &mut []);
        const ROWS: [u8; SIZE] = {
            let mut rows = [0; SIZE];
            $crate::cli::shell::rows::pack(TEXT, &mut rows);
            rows
        };
        &ROWS
    }};
}
pub(super) use rows;

/// Writes what there is room for, and returns how much there is. Run by the compiler.
#[expect(clippy::cast_possible_truncation, reason = "no name is so long")]
pub const fn pack(text: &str, rows: &mut [u8]) -> usize {
    let text = text.as_bytes();
    let (mut at, mut end) = (0, 0);
    while at < text.len() {
        let row = end;
        let letter = if text[at] == b'-' { 0 } else { text[at] };
        at += 2;
        end += 4;
        while text[at] != b' ' {
            if end < rows.len() {
                rows[end] = text[at];
            }
            at += 1;
            end += 1;
        }
        // A `-` alone is no name.
        if end == row + 5 && text[at - 1] == b'-' {
            end -= 1;
        }
        at += 1;
        let word = at;
        while at < text.len() && !matches!(text[at], b'\n' | b'=' | b':' | b'?') {
            at += 1;
        }
        let does = number(text, word, at);
        let mut value = 0;
        if at < text.len() && text[at] != b'\n' {
            value = text[at];
            at += 1;
        }
        at += 1;
        if row + 4 <= rows.len() {
            rows[row] = letter;
            rows[row + 1] = does;
            rows[row + 2] = value;
            rows[row + 3] = (end - row - 4) as u8;
        }
    }
    end
}

/// The number of the word that stands there.
#[expect(clippy::cast_possible_truncation, reason = "there are fewer")]
const fn number(text: &[u8], start: usize, end: usize) -> u8 {
    let mut number = 0;
    while number < WORDS.len() {
        let word = WORDS[number].as_bytes();
        let mut at = 0;
        while at < word.len() && start + at < end && word[at] == text[start + at] {
            at += 1;
        }
        if at == word.len() && start + at == end {
            return number as u8;
        }
        number += 1;
    }
    panic!("a row has a word that is not known")
}
