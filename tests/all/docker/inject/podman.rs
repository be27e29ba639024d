//! The same with Podman, which mounts an image by itself, and plays a Pod of Kubernetes. Its timers need systemd, so each
//! check is made by hand, with `podman healthcheck run`.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::Arc;

use libtest_mimic::Trial;
use serde_json::Value;
use tempfile::TempDir;

use super::super::{HEALTHY, Images, UNHEALTHY, run, trial};
use super::{folder, untouched};
use crate::support::{Skip, checker, matches, program};

pub(super) fn trials(images: &Arc<Images>) -> Vec<Trial> {
    vec![
        trial(
            images,
            "docker::inject::podman::mounts_an_image",
            mounts_an_image,
        ),
        trial(
            images,
            "docker::inject::podman::lists_and_lines",
            lists_and_lines,
        ),
        trial(
            images,
            "docker::inject::podman::plays_the_pod_with_an_init_container",
            plays_the_pod,
        ),
    ]
}

/// Containers and images in a folder of their own, with the two images of a test, for as long as the value lives.
struct Podman {
    folder: TempDir,
    service: String,
    checker: String,
}

impl Podman {
    fn start(images: &Images) -> Result<Self, Skip> {
        program("podman")?;
        let podman = Podman {
            folder: folder(&checker()),
            service: untouched(images),
            checker: images.checker().to_owned(),
        };
        // Podman raises these limits, which a root without all privileges may not.
        let limits =
            "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n";
        let file = podman.folder.path().join("containers.conf");
        fs::write(file, limits).expect("a file");
        let mut save = Command::new("docker")
            .args(["save", &podman.service, &podman.checker])
            .stdout(Stdio::piped())
            .spawn()
            .expect("docker runs");
        let saved = save.stdout.take().expect("it was piped");
        let loaded = run(podman.command(&["load"]).stdin(saved));
        assert!(save.wait().expect("docker was started").success());
        match loaded {
            Ok(_) => Ok(podman),
            Err(why) => Err(Skip::new(format!("podman does not run here: {why}"))),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let folder = self.folder.path();
        let mut command = Command::new("podman");
        command.arg("--root").arg(folder.join("root"));
        command.arg("--runroot").arg(folder.join("run"));
        // What it would choose itself may not work on top of another overlay.
        command.args(["--storage-driver", "vfs"]);
        command.env("CONTAINERS_CONF", folder.join("containers.conf"));
        // Not the folder with the file `healthchecker`: it would look in it for how to build the image of that name.
        command.args(arguments).current_dir("/");
        command
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        run(&mut self.command(arguments)).unwrap_or_else(|why| panic!("{why}"))
    }

    /// Starts the service in the container `service`.
    fn service(&self, options: &[&str]) {
        let run = ["run", "--detach", "--name", "service", "--network", "none"];
        let retries = ["--health-retries", "1"];
        self.succeed(&[&run[..], &retries, options, &[&self.service]].concat());
    }

    fn is_asked(&self) -> bool {
        run(&mut self.command(&["healthcheck", "run", "service"])).is_ok()
    }

    fn inspect(&self, what: &str) -> Value {
        let format = format!("{{{{json {what}}}}}");
        let json = self.succeed(&["inspect", "--format", &format, "service"]);
        serde_json::from_str(&json).expect("podman prints JSON")
    }

    /// Asks until the status is this, and then for the line that says why.
    fn becomes(&self, status: &str, line: &str) {
        let asked = (0..50).any(|_| {
            self.is_asked();
            self.inspect(".State.Health")["Status"] == status
        });
        let health = self.inspect(".State.Health");
        assert!(asked, "never {status}: {health:#}");
        let log = health["Log"].as_array().expect("a log");
        let said = log.last().and_then(|last| last["Output"].as_str());
        let said = said.unwrap_or_default().trim_end();
        assert!(matches(line.trim_end(), said), "{health:#}");
    }

    fn turns(&self, exec: &[&str]) {
        self.becomes("healthy", HEALTHY);
        self.succeed(&[&["exec", "service"], exec].concat());
        self.becomes("unhealthy", UNHEALTHY);
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _ = run(&mut self.command(&["pod", "rm", "--all", "--force", "--time", "0"]));
        let _ = run(&mut self.command(&["rm", "--all", "--force", "--time", "0"]));
    }
}

const TOGGLE: &str = "http://localhost:6767/testability/healthy/false";

fn mounts_an_image(images: &Images) -> Result<(), Skip> {
    let podman = Podman::start(images)?;
    let mount = format!("type=image,source={},destination=/tools", podman.checker);
    let list = r#"["/tools/healthchecker", "--port", "6767"]"#;
    podman.service(&["--mount", &mount, "--health-cmd", list]);
    podman.turns(&["/tools/healthchecker", TOGGLE]);
    Ok(())
}

/// What becomes of a check that is written so, in the Podman of Debian 12.
fn lists_and_lines(images: &Images) -> Result<(), Skip> {
    let podman = Podman::start(images)?;
    let bind = |at: &str| format!("{}/healthchecker:{at}:ro", podman.folder.path().display());
    let forms = [
        // A list of one is a line for a shell.
        (
            r#"["/healthchecker"]"#,
            r#"["CMD-SHELL", "/healthchecker"]"#,
        ),
        // One that begins as Docker's are is split at its spaces, brackets and all.
        (
            r#"["CMD","/healthchecker","-p6767"]"#,
            r#"["[\"CMD\",\"/healthchecker\",\"-p6767\"]"]"#,
        ),
        (
            "CMD /healthchecker -p6767",
            r#"["CMD", "/healthchecker", "-p6767"]"#,
        ),
        (
            "/healthchecker -p6767",
            r#"["CMD-SHELL", "/healthchecker -p6767"]"#,
        ),
    ];
    let is_bookworms = podman.succeed(&["--version"]).contains(" 4.3.");
    for (form, test) in forms.iter().filter(|_| is_bookworms) {
        podman.service(&["--volume", &bind("/healthchecker"), "--health-cmd", form]);
        let test: Value = serde_json::from_str(test).expect("it is JSON");
        assert_eq!(podman.inspect(".Config.Healthcheck.Test"), test, "{form}");
        let works = test[0] == "CMD";
        let asked = (0..if works { 50 } else { 1 }).any(|_| podman.is_asked());
        assert_eq!(asked, works, "{form}");
        podman.succeed(&["rm", "--force", "--time", "0", "service"]);
    }
    let line = "curl -f http://localhost:6767/health || exit 1";
    podman.service(&["--volume", &bind("/bin/sh"), "--health-cmd", line]);
    let toggle = format!("healthchecker {TOGGLE}");
    let ill = UNHEALTHY.replace("200-299", "200-399");
    podman.becomes("healthy", HEALTHY);
    podman.succeed(&["exec", "service", "/bin/sh", "-c", &toggle]);
    podman.becomes("unhealthy", &ill);
    Ok(())
}

/// `pod-init.yml`, with the names of these images. Podman runs an exec probe with a shell, so it is asked by hand.
fn plays_the_pod(images: &Images) -> Result<(), Skip> {
    let podman = Podman::start(images)?;
    program("catatonit").or_else(|skip| {
        let debians = std::path::Path::new("/usr/libexec/podman/catatonit");
        debians.exists().then(|| debians.to_owned()).ok_or(skip)
    })?;
    let file = podman.folder.path().join("pod-init.yml");
    let pod = fs::read_to_string(&file).expect("it is there");
    let image = |name: &str| format!("image: {name}\n");
    let pod = pod
        .replace(&image("service"), &image(&podman.service))
        .replace(&image("healthchecker"), &image(&podman.checker))
        // Podman 4.3 may otherwise try to remove the init container before it knows that it has ended.
        .replace(
            "metadata:",
            "metadata:\n  annotations: { io.podman.annotations.init.container.type: always }",
        );
    fs::write(&file, pod).expect("a file");
    let file = file.to_str().expect("a path in UTF-8");
    podman.succeed(&["kube", "play", "--network", "none", file]);
    let probe = ["exec", "service-service", "/tools/healthchecker"];
    let ask = |argument: &str| run(&mut podman.command(&[&probe[..], &[argument]].concat()));
    let well = (0..50).find_map(|_| ask("--port=6767").ok());
    let well = well.expect("it is well in the end");
    assert!(matches(HEALTHY.trim_end(), &well), "{well}");
    ask(TOGGLE).unwrap_or_else(|why| panic!("{why}"));
    let ill = ask("--port=6767").expect_err("it is ill");
    assert!(
        matches(&format!("*{}*", UNHEALTHY.trim_end()), &ill),
        "{ill}"
    );
    Ok(())
}
