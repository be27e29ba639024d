//! The ways of examples/inject: the checker in a container whose image has none, and no shell either. Its files are run as
//! they are, but for shorter pauses.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use libtest_mimic::Trial;
use tempfile::TempDir;

use super::{Container, HEALTHY, Images, UNHEALTHY, build_on, docker, run, succeed, trial, turns};
use crate::support::{Skip, checker, program};

mod podman;
mod pods;
mod stack;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/inject");

pub(super) fn trials(images: &Arc<Images>) -> Vec<Trial> {
    let mut trials = vec![
        trial(images, "docker::inject::compose_binds_a_file", |images| {
            compose_runs("compose.yml", "/healthchecker", images)
        }),
        trial(images, "docker::inject::compose_fills_a_volume", |images| {
            compose_runs("compose-volume.yml", "/tools/healthchecker", images)
        }),
        trial(images, "docker::inject::compose_reads_every_file", |_| {
            compose_reads_every_file()
        }),
        trial(
            images,
            "docker::inject::a_line_needs_the_checker_as_a_shell",
            a_line_needs_the_checker_as_a_shell,
        ),
        trial(
            images,
            "docker::inject::run_mounts_a_volume_as_bin",
            run_mounts_a_volume_as_bin,
        ),
        trial(
            images,
            "docker::inject::a_copy_serves_for_a_question",
            a_copy_serves_for_a_question,
        ),
        trial(images, "docker::inject::what_engines_refuse", |images| {
            what_engines_refuse(images);
        }),
    ];
    trials.extend(podman::trials(images));
    trials.extend(pods::trials(images));
    trials.extend(stack::trials(images));
    trials
}

/// The service alone, as somebody else has made its image.
fn untouched(images: &Images) -> String {
    let accounts = images.accounts();
    let dockerfile = format!(
        "FROM scratch\nCOPY --from={accounts} /accountservice /accountservice\n\
        ENTRYPOINT [\"/accountservice\", \"--db\", \"/accounts.redb\"]\n"
    );
    build_on(accounts, "untouched", &dockerfile)
}

/// The files of examples/inject, with a checker beside them, and `fast.yml`, which shortens the pauses.
fn folder(checker: &Path) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in fs::read_dir(EXAMPLE).expect("the example") {
        let entry = entry.expect("a file of the example");
        fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("a copy");
    }
    fs::copy(checker, folder.path().join("healthchecker")).expect("a copy");
    let fast = "services: { service: { healthcheck: { interval: 1s, retries: 1 } } }\n";
    fs::write(folder.path().join("fast.yml"), fast).expect("a file");
    folder
}

/// Compose's second version, or its first.
fn compose() -> Result<Command, Skip> {
    let mut second = Command::new("docker");
    second.arg("compose");
    match docker(&["compose", "version"]) {
        Ok(_) => Ok(second),
        Err(_) => program("docker-compose").map(Command::new),
    }
}

/// A project of Compose, for as long as the value lives.
struct Project<'a> {
    folder: TempDir,
    file: &'a str,
    images: [(&'static str, String); 2],
}

impl Project<'_> {
    fn compose(&self, arguments: &[&str]) -> Result<String, Skip> {
        let mut command = compose()?;
        let name = format!("inject-{}-{}", std::process::id(), self.file.len());
        command.args(["--project-name", &name]);
        command.args(["--file", self.file, "--file", "fast.yml"]);
        command.args(arguments).envs(self.images.clone());
        let said = run(command.current_dir(self.folder.path()));
        Ok(said.unwrap_or_else(|why| panic!("{why}")))
    }
}

impl Drop for Project<'_> {
    fn drop(&mut self) {
        let _ = self.compose(&["down", "--volumes", "--timeout", "0"]);
    }
}

fn compose_runs(file: &str, at: &'static str, images: &Images) -> Result<(), Skip> {
    compose()?;
    let project = Project {
        folder: folder(&checker()),
        file,
        images: [
            ("IMAGE", untouched(images)),
            ("HEALTHCHECKER", images.checker().to_owned()),
        ],
    };
    project.compose(&["up", "--detach"])?;
    let id = project.compose(&["ps", "--quiet", "service"])?;
    turns(&Container::found(id, at));
    Ok(())
}

/// What no engine here can run is read, at least, by the programs that send it to one.
fn compose_reads_every_file() -> Result<(), Skip> {
    let folder = folder(&checker());
    for file in [
        "compose.yml",
        "compose-volume.yml",
        "compose-image.yml",
        "services.yml",
    ] {
        let mut config = compose()?;
        config.args(["--file", file, "config"]);
        let read = run(config.current_dir(folder.path())).unwrap_or_else(|why| panic!("{why}"));
        assert!(read.contains("- CMD\n"), "{file}: {read}");
    }
    Ok(())
}

/// `docker run --health-cmd` is a line for `/bin/sh`, whatever it looks like.
fn a_line_needs_the_checker_as_a_shell(images: &Images) {
    let image = untouched(images);
    let folder = folder(&checker());
    let start = |at: &str, line: &str| {
        let bind = format!("{}/healthchecker:{at}:ro", folder.path().display());
        let options = "--network none --health-interval 1s --health-retries 1";
        let mut options = Vec::from_iter(options.split(' '));
        options.extend(["--volume", &bind, "--health-cmd", line]);
        Container::with(&image, &options)
    };
    const LIST: &str = r#"["/healthchecker", "--port", "6767"]"#;
    for line in ["healthchecker --port 6767", "/healthchecker --port 6767"] {
        falls_ill(&start("/bin/sh", line));
    }
    let a_list = start("/bin/sh", LIST);
    let refused = r#"error: this sh only checks health, *: it cannot run "[/healthchecker,"*"#;
    a_list.becomes("unhealthy", 1, refused);
    let no_shell = start("/healthchecker", LIST);
    let refused = r#"*exec: "/bin/sh": stat /bin/sh: no such file or directory*"#;
    no_shell.becomes("unhealthy", -1, refused);
}

/// Of a container in which the checker is the shell, and nothing else.
fn falls_ill(container: &Container) {
    container.becomes("healthy", 0, HEALTHY);
    let toggle = "healthchecker http://localhost:6767/testability/healthy/false";
    succeed(&["exec", &container.id, "/bin/sh", "-c", toggle]);
    container.becomes("unhealthy", 1, UNHEALTHY);
}

/// The same shell in a volume, which the checker's image has filled, and without a file on the host.
fn run_mounts_a_volume_as_bin(images: &Images) {
    let volume = format!("inject-{}-bin", std::process::id());
    let fill = ["run", "--rm", "--network", "none", "--volume"];
    let mount = format!("{volume}:/tools");
    let install = [&mount, images.checker(), "--install", "/tools/sh"];
    let said = succeed(&[&fill[..], &install].concat());
    assert_eq!(said, "installed: /tools/sh");
    // After an update of the checker's image, and here without one.
    let said = succeed(&[&fill[..], &install].concat());
    assert_eq!(said, "installed: /tools/sh is this program already");
    let mount = format!("{volume}:/bin:ro");
    let options = "--network none --health-interval 1s --health-retries 1 --volume";
    let mut options = Vec::from_iter(options.split(' '));
    options.extend([&mount, "--health-cmd", "healthchecker --port 6767"]);
    let container = Container::with(&untouched(images), &options);
    falls_ill(&container);
    drop(container);
    succeed(&["volume", "rm", &volume]);
}

/// `docker cp` brings a file, and nothing gives a container a check later than when it is made.
fn a_copy_serves_for_a_question(images: &Images) {
    let image = untouched(images);
    let container = Container::start(&image, "--network none");
    let file = checker();
    let file = file.to_str().expect("a path in UTF-8");
    let to = format!("{}:/healthchecker", container.id);
    succeed(&["cp", file, &to]);
    container.answers();
    let update = docker(&["update", "--health-cmd", "true", &container.id]);
    let update = update.expect_err("there is no such option");
    assert!(update.contains("unknown flag: --health-cmd"), "{update}");
    // It is gone when the container is made anew, and a file system that is read-only takes none.
    let read_only = Container::start(&image, "--network none --read-only --tmpfs /tmp");
    let why = docker(&["cp", file, &format!("{}:/healthchecker", read_only.id)]);
    let why = why.expect_err("it is read-only");
    assert!(why.contains("read-only"), "{why}");
}

/// A file without its mode, one that is not there, and what an engine as old as Debian's does not know.
fn what_engines_refuse(images: &Images) {
    let image = untouched(images);
    let folder = folder(&checker());
    let file = folder.path().join("healthchecker");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("a mode");
    for name in ["healthchecker", "missing"] {
        let bind = format!("{}/{name}:/healthchecker:ro", folder.path().display());
        let container = Container::start(&image, &format!("--network none --volume {bind}"));
        let exec = docker(&["exec", &container.id, "/healthchecker", "--version"]);
        let why = exec.expect_err("it cannot be run");
        let denied = r#"exec: "/healthchecker": permission denied"#;
        assert!(why.contains(denied), "{name}: {why}");
    }
    let version = succeed(&["version", "--format", "{{.Server.Version}}"]);
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    let mount = format!("type=image,source={},destination=/tools", images.checker());
    let options: [(u32, &[&str], &[&str]); 2] = [
        (
            28,
            &["--mount", &mount],
            &["mount type unknown", "invalid mount type"],
        ),
        (
            25,
            &["--health-start-interval", "1s"],
            &["requires API version 1.44", "unknown flag"],
        ),
    ];
    for (since, options, messages) in options {
        if major.is_some_and(|major: u32| major < since) {
            let why = docker(&[&["create"], options, &[&image]].concat());
            let why = why.expect_err("it is too old");
            let is_said = messages.iter().any(|message| why.contains(message));
            assert!(is_said, "{why}");
        }
    }
}
