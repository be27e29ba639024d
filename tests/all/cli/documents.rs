//! What the documentation shows: the options as `--help` lists them, and checks that can be copied.

use crate::support::{Server, check, command, run};
use healthchecker::cli::{self, Command};
use healthchecker::protocol::ALL;
use healthchecker::report;
use healthchecker::run::Attempt;
use healthchecker::run::advice::Hint;
use healthchecker::verdict::{Answer, Failure, Health, Outcome, Peer, Phase, Snippet, Trace};
use libtest_mimic::Trial;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    trials![
        readme_options_equal_help,
        readme_lines_are_printed,
        documented_checks_parse,
        documented_compose_checks_need_no_shell,
        binaries_are_where_the_readme_says,
        redirects_are_as_the_readme_says,
        curl_options_are_the_same,
        image_copies_what_a_build_needs,
        contributing_names_what_there_is,
    ]
}

fn at_the_top(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn readme_options_equal_help() {
    let readme = read(&at_the_top("README.md"));
    let mut blocks = readme.split("\n```").skip(1).step_by(2);
    let block = blocks.find(|block| block.contains("Usage: healthchecker"));
    let block = block.expect("README.md has a fenced block with \"Usage: healthchecker\" in it");
    // What follows the fence on its line is the language.
    let (_, block) = block.split_once('\n').expect("a block has lines");
    let run = run(&mut command(["--help"]));
    assert_eq!(
        format!("{block}\n"),
        run.exits(0).stdout,
        "README.md, left, differs from --help"
    );
}

/// The lines at the top of README.md, given what they tell of: to the letter, but for nothing.
fn readme_lines_are_printed() {
    let refused =
        ["127.0.0.1:8080", "[::1]:8080"].map(|peer| Peer::Tcp(peer.parse().expect("an address")));
    let listening = "*:6767, 127.0.0.1:9090".to_owned();
    let says = |body: &str| {
        Err(Box::new(Failure::Status {
            got: 503,
            expected: "200-299".into(),
            redirect: None,
            body: Snippet::new(body.as_bytes()),
        }))
    };
    let sick = r#"{"status":"DOWN","components":{"db":{"status":"DOWN","details":{"error":"no connection"}}}}"#;
    let line = |port: &str, outcome: Outcome, hint: Option<Hint>, micros| {
        let parsed = cli::parse(vec!["--port".into(), port.into()], &|_| None);
        let Ok(Command::Check(check, _)) = parsed else {
            panic!("{parsed:?}")
        };
        let took = Duration::from_micros(micros);
        let answer = Answer {
            outcome,
            took,
            trace: Trace::default(),
        };
        report::line(
            &check.targets[0],
            &answer,
            hint.as_ref(),
            &Attempt::only(check.timeout),
        )
    };
    let failed = |failure: Failure| Err(Box::new(failure));
    let lines = [
        line("6767", Ok(Health::Status(200)), None, 400),
        line(
            "6767",
            says(r#"{"status":"Database unaccessible"}"#),
            None,
            1_200,
        ),
        line("6767", says(sick), None, 1_700),
        line(
            "8080",
            failed(Failure::Refused(refused.to_vec())),
            Some(Hint::Listening(listening)),
            200,
        ),
        line(
            "6767",
            failed(Failure::TimedOut {
                phase: Phase::StatusLine,
                peer: None,
            }),
            None,
            0,
        ),
        run(&mut command(["--port", "80a"])).exits(1).stderr.clone(),
    ];
    let readme = read(&at_the_top("README.md"));
    let block = format!("```text\n{}```", lines.concat());
    assert!(
        readme.contains(&block),
        "README.md has not these lines:\n{block}"
    );
}

/// Every check that the documentation shows in exec form can be copied, from a Dockerfile, a compose file or a table.
fn documented_checks_parse() {
    let files = [
        "README.md",
        "Dockerfile.example",
        "examples/swarm/stack.yml",
    ];
    let mut files = files.map(at_the_top).to_vec();
    find_dockerfiles(&at_the_top("examples"), &mut files);
    files.extend(find_inject());
    for file in files {
        // An instruction goes on where its line ends in a backslash.
        let text = read(&file).replace("\\\n", " ");
        let starts = ["[\"/healthchecker\"", "[\"CMD\", \"/healthchecker\""];
        // Where a volume is what brings the checker.
        let text = text.replace("\"/tools/healthchecker\"", "\"/healthchecker\"");
        let lists = starts.iter().flat_map(|start| text.match_indices(start));
        let found = lists
            .map(|(at, _)| check_parses(&file, &text[at..]))
            .count();
        assert!(found > 0, "{}: no check in exec form", file.display());
    }
}

fn check_parses(file: &Path, text: &str) {
    let file_name = file.display();
    let line = text.lines().next().unwrap_or_default();
    let mut lists = serde_json::Deserializer::from_str(text).into_iter::<Vec<String>>();
    let list = match lists.next() {
        Some(Ok(list)) => list,
        other => panic!("{file_name}: {line} is no JSON: {other:?}"),
    };
    // With anything after it, Docker would run it with a shell. The README shows that, too, as what not to do.
    let rest = &line[lists.byte_offset()..];
    assert!(
        rest.is_empty() || file.ends_with("README.md"),
        "{file_name}: {line}"
    );
    // Compose turns `$$` into `$` before the checker sees it.
    let (arguments, compose) = match &list[..] {
        [cmd, _, arguments @ ..] if cmd == "CMD" => (arguments, true),
        list => (&list[1..], false),
    };
    let argument = |word: &String| match compose {
        true => word.replace("$$", "$").into(),
        false => word.into(),
    };
    let arguments = arguments.iter().map(argument).collect();
    let parsed = cli::parse(arguments, &|_| Some("8080".into()));
    assert!(
        matches!(parsed, Ok(Command::Check(..))),
        "{file_name}: {line}: {parsed:?}"
    );
}

/// A string, or a list that begins otherwise, would be run with a shell.
fn documented_compose_checks_need_no_shell() {
    let mut files = ["README.md", "examples/swarm/stack.yml"]
        .map(at_the_top)
        .to_vec();
    let is_pods = |path: &PathBuf| path.to_string_lossy().contains("/pod-");
    files.extend(find_inject().into_iter().filter(|path| !is_pods(path)));
    for file in files {
        let text = read(&file);
        let file = file.display();
        let mut tests = text.split("test: ").skip(1).peekable();
        assert!(tests.peek().is_some(), "{file} has a compose file");
        for test in tests {
            let test = test.lines().next().unwrap_or_default();
            assert!(test.starts_with("[\"CMD\", "), "{file}: {test}");
        }
    }
}

/// The table of ways to build: each file is where cargo puts what that command makes.
fn binaries_are_where_the_readme_says() {
    let config = read(&at_the_top(".cargo/config.toml"));
    let readme = read(&at_the_top("README.md"));
    let rows: Vec<(&str, &str)> = readme.lines().filter_map(build_row).collect();
    assert!(rows.len() >= 3, "{rows:?}");
    for (command, file) in rows {
        let alias = config
            .split_once("smallest = [")
            .expect("the alias is there")
            .1;
        let words = match command {
            "cargo +nightly smallest" => alias,
            _ => command,
        };
        let value = |option: &str| {
            let (_, rest) = words.split_once(option)?;
            rest[1..]
                .trim_start_matches('\'')
                .split([' ', '"', '\''])
                .next()
        };
        // The host's own, for the commands that name none.
        let target = value("--target").or(value("--config=build.target"));
        let target = target.unwrap_or("x86_64-unknown-linux-gnu");
        let profile = value("--profile").unwrap_or("release");
        let expected = format!("target/{target}/{profile}/healthchecker");
        assert_eq!(file, expected, "{command}");
    }
}

/// The command and the file of a row such as "| `cargo build` | ... | `target/...` |".
fn build_row(line: &str) -> Option<(&str, &str)> {
    let cells: Vec<&str> = line.split('`').collect();
    match cells[..] {
        ["| ", command, _, file, " |"] if file.starts_with("target/") => Some((command, file)),
        _ => None,
    }
}

/// What the README tells those who come from curl and wget: a redirect is unhealthy, and these options change it.
fn redirects_are_as_the_readme_says() {
    let readme = read(&at_the_top("README.md"));
    let told = "a redirect is\nunhealthy, unless `--status 200-399` accepts it or `-L` follows it";
    assert!(readme.contains(told), "README.md does not say: {told}");
    let well = Server::replying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let moved = Server::replying(format!(
        "HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
        well.url("/")
    ));
    let url = &*moved.url("/health");
    let line = "unhealthy: *: status 302 to http://*, expected 200-299 (-L would follow) (* ms)";
    check([url]).unhealthy(line);
    check(["--status", "200-399", url]).healthy("healthy: *: 302 Found in * ms");
    assert_eq!(well.asked(), 0);
    check(["-L", url]).healthy("healthy: *: 200 OK at http://*/ in * ms");
}

/// The options that the README calls the same: each with a value as people give it to curl.
fn curl_options_are_the_same() {
    let values = [
        ("-X", "HEAD"),
        ("-H", "Host: example.com"),
        ("-d", "a=b"),
        ("-u", "user:password"),
        ("-A", "agent/1"),
        ("--unix-socket", "/run/service.sock"),
    ];
    let names = values.map(|(name, _)| format!("`{name}`")).join(", ");
    let row = format!("| {} | the same", names.replacen("`-X`", "`curl -X`", 1));
    let readme = read(&at_the_top("README.md"));
    assert!(readme.contains(&row), "README.md has no row: {row}");
    for (name, value) in values {
        let arguments = [name, value, "http://localhost:8080/"].map(Into::into);
        let parsed = cli::parse(arguments.to_vec(), &|_| None);
        assert!(
            matches!(parsed, Ok(Command::Check(..))),
            "{name} {value}: {parsed:?}"
        );
    }
}

/// Whatever `Dockerfile.example` copies from the context is there, and in the package, and not hidden from the engine.
fn image_copies_what_a_build_needs() {
    let dockerfile = read(&at_the_top("Dockerfile.example"));
    let manifest = read(&at_the_top("Cargo.toml"));
    let ignored = read(&at_the_top(".dockerignore"));
    let copied: Vec<&str> = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "))
        .filter(|rest| !rest.starts_with("--from"))
        .flat_map(|rest| rest.rsplit_once(' ').expect("a destination").0.split(' '))
        .collect();
    for needed in ["Cargo.toml", "Cargo.lock", "build.rs", ".cargo", "src"] {
        assert!(
            copied.contains(&needed),
            "Dockerfile.example does not copy {needed}"
        );
    }
    for name in copied {
        assert!(at_the_top(name).exists(), "{name}");
        assert!(
            !ignored.lines().any(|line| line == format!("/{name}")),
            "{name} is ignored"
        );
        // Cargo itself adds these two.
        let packed = name.starts_with("Cargo.") || manifest.contains(&format!("\"/{name}\""));
        assert!(packed, "{name} is not in the package");
    }
}

/// Every path in CONTRIBUTING.md exists, as it is or with `.rs`, and every `ITEM` of or in a `FILE` is there.
fn contributing_names_what_there_is() {
    let text = read(&at_the_top("CONTRIBUTING.md"));
    let rows = ALL.iter().map(|row| row.scheme);
    let spans: Vec<&str> = text.split('`').collect();
    let mut paths = 0;
    for (at, code) in spans.iter().enumerate().skip(1).step_by(2) {
        // A command may have arguments.
        let path = code.split(' ').next().expect("a first word");
        let folders = ["src/", "tests/", ".ci/"];
        // .ci is no part of the package.
        let here = !path.starts_with(".ci/") || at_the_top(".ci").exists();
        if !folders.iter().any(|folder| path.starts_with(folder)) || !here {
            continue;
        }
        paths += 1;
        let file = |path: &str| {
            let plain = at_the_top(path);
            let source = at_the_top(&format!("{path}.rs"));
            [source, plain].into_iter().find(|file| file.exists())
        };
        if path.contains("/NAME.rs") {
            for name in rows.clone() {
                let path = path.replace("NAME", name);
                // What HTTP is tested for fills a folder.
                let path = path.replace("tests/all/protocol/http.rs", "tests/all/http.rs");
                assert!(file(&path).is_some(), "{path}");
            }
            continue;
        }
        let file = file(path).unwrap_or_else(|| panic!("there is no {path}"));
        if [" of ", " in "].contains(&spans[at - 1]) {
            let item = spans[at - 2];
            assert!(read(&file).contains(item), "there is no {item} in {path}");
        }
    }
    assert!(paths > 30, "only {paths} paths were found");
}

/// The files of the example for images that one does not build.
fn find_inject() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(at_the_top("examples/inject")).expect("the example is there");
    let paths = entries.map(|entry| entry.expect("an entry of the directory").path());
    let files = Vec::from_iter(paths.filter(|path| path.extension() == Some(OsStr::new("yml"))));
    assert!(files.len() >= 8, "{files:?}");
    files
}

fn find_dockerfiles(directory: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    for entry in entries {
        let path = entry.expect("an entry of the directory").path();
        if path.is_dir() {
            find_dockerfiles(&path, found);
        } else if path.file_name() == Some(OsStr::new("Dockerfile")) {
            found.push(path);
        }
    }
}
