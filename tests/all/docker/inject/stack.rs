//! The checker as a config of Swarm, and what Swarm refuses.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use tempfile::TempDir;

use super::super::swarm::{Swarm, until_gone};
use super::super::{Container, HEALTHY, Images, UNHEALTHY, docker, run, succeed, trial};
use super::{folder, untouched};
use crate::build::built_with_musl;
use crate::support::Skip;

pub(super) fn trials(images: &Arc<Images>) -> Vec<Trial> {
    vec![trial(
        images,
        "docker::inject::stack::swarm_sends_a_config",
        swarm_sends_a_config,
    )]
}

/// A stack of Swarm, for as long as the value lives.
struct Stack {
    folder: TempDir,
    name: String,
    image: String,
}

impl Stack {
    fn deploy(&self, version: u8) -> Result<String, String> {
        let mut deploy = Command::new("docker");
        deploy.args(["stack", "deploy", "--resolve-image", "never"]);
        deploy.args(["--compose-file", "stack.yml", "--compose-file", "fast.yml"]);
        deploy.arg(&self.name).env("IMAGE", &self.image);
        deploy.env("VERSION", format!("{}-{version}", self.name));
        run(deploy.current_dir(self.folder.path()))
    }

    /// The one container of its service that runs, and is not this one.
    fn other_than(&self, known: &str) -> Container {
        let stack = self.label();
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let ps = ["ps", "--quiet", "--no-trunc", "--filter", &stack];
            let running = succeed(&ps);
            if let Some(id) = running.lines().find(|id| *id != known) {
                return Container::found(id.to_owned(), "/healthchecker");
            }
            let tasks = ["stack", "ps", "--no-trunc", &self.name];
            assert!(Instant::now() < deadline, "{:?}", docker(&tasks));
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn label(&self) -> String {
        format!("label=com.docker.stack.namespace={}", self.name)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let _ = docker(&["stack", "rm", &self.name]);
        until_gone(&self.label());
    }
}

fn swarm_sends_a_config(images: &Images) -> Result<(), Skip> {
    const LIMIT: u64 = 1_024_000;
    let musl = built_with_musl()?;
    let folder = folder(&musl);
    let path = folder.path().to_owned();
    let fast = path.join("fast.yml");
    let text = fs::read_to_string(&fast).expect("it is there");
    fs::write(fast, format!("version: \"3.8\"\n{text}")).expect("a file");
    let _swarm = Swarm::enter()?;
    let stack = Stack {
        folder,
        name: format!("inject-{}", std::process::id()),
        image: untouched(images),
    };
    stack.deploy(1).unwrap_or_else(|why| panic!("{why}"));
    let first = stack.other_than("");
    first.becomes("healthy", 0, HEALTHY);
    first.get("/testability/healthy/false");
    first.becomes("unhealthy", 1, UNHEALTHY);
    stack.other_than(&first.id).becomes("healthy", 0, HEALTHY);

    // A config never changes: what differs needs another name.
    let mut other = fs::read(&musl).expect("the binary");
    assert!((other.len() as u64) < LIMIT, "{} bytes", other.len());
    other.push(0);
    fs::write(path.join("healthchecker"), &other).expect("a file");
    let why = stack.deploy(1).expect_err("it differs");
    assert!(why.contains("only updates to Labels are allowed"), "{why}");
    // As large as a build that was not made for size.
    other.resize(usize::try_from(LIMIT).expect("a size"), 0);
    fs::write(path.join("healthchecker"), &other).expect("a file");
    let why = stack.deploy(2).expect_err("it is too large");
    assert!(why.contains("less than 1024000 bytes"), "{why}");
    Ok(())
}
