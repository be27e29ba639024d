//! What the documentation shows: the options as `--help` lists them, and checks that can be copied.

use crate::support::{command, run};
use healthchecker::cli::{self, Command};
use healthchecker::hints::Hint;
use healthchecker::report;
use healthchecker::verdict::{Answer, Failure, Health, Peer, Phase, Snippet, Trace, Verdict};
use libtest_mimic::Trial;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    trials![
        readme_options_equal_help,
        readme_lines_are_printed,
        documented_checks_parse
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
    let listening = ["*:6767", "127.0.0.1:9090"].map(str::to_owned).to_vec();
    let (body, expected) = (
        Snippet::new(br#"{"status":"Database unaccessible"}"#),
        "200-299".to_owned(),
    );
    let line = |port: &str, verdict: Verdict, hint: Option<Hint>, micros| {
        let parsed = cli::parse(vec!["--port".into(), port.into()], &|_| None);
        let Ok(Command::Check(check, _)) = parsed else {
            panic!("{parsed:?}")
        };
        let took = Duration::from_micros(micros);
        let answer = Answer {
            verdict,
            took,
            trace: Trace::default(),
        };
        report::line(&check.targets[0], &answer, hint.as_ref(), check.timeout)
    };
    let failed = |failure: Failure| Err(Box::new(failure));
    let lines = [
        line("6767", Ok(Health::Status(200)), None, 400),
        line(
            "6767",
            failed(Failure::Status {
                got: 503,
                expected,
                body,
            }),
            None,
            1_200,
        ),
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
    let mut files = vec![at_the_top("README.md"), at_the_top("Dockerfile.example")];
    find_dockerfiles(&at_the_top("examples"), &mut files);
    for file in files {
        // An instruction goes on where its line ends in a backslash.
        let text = read(&file).replace("\\\n", " ");
        let starts = ["[\"/healthchecker\"", "[\"CMD\", \"/healthchecker\""];
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
