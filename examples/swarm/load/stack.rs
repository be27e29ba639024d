//! The running stack, as the `docker` command sees it.

use std::env;
use std::process::Command;

/// What went wrong, in words.
pub type Result<T> = std::result::Result<T, String>;

/// The two services behind HAProxy: A, which asks B.
pub const A: &str = "gateway";
pub const B: &str = "accounts";
pub const HAPROXY: &str = "haproxy";

/// A stack, by its name.
pub struct Stack(String);

impl Stack {
    /// The one that `examples/swarm/up` starts, which goes by the same variable.
    pub fn named() -> Self {
        Stack(env::var("STACK").unwrap_or_else(|_| "healthchecker".into()))
    }

    /// The full name of a service.
    pub fn service(&self, service: &str) -> String {
        format!("{}_{service}", self.0)
    }

    /// The running containers of a service on this node, the newest first.
    pub fn containers(&self, service: &str) -> Result<Vec<String>> {
        let service = format!(
            "label=com.docker.swarm.service.name={}",
            self.service(service)
        );
        let ids = docker(&["ps", "--quiet", "--no-trunc", "--filter", &service])?;
        Ok(ids.lines().map(str::to_owned).collect())
    }

    /// One of them.
    pub fn container(&self, service: &str) -> Result<String> {
        let first = self.containers(service)?.into_iter().next();
        first.ok_or_else(|| format!("no container of {service} runs on this node"))
    }

    pub fn update(&self, service: &str, options: &[&str]) -> Result<()> {
        let service = self.service(service);
        let update = ["service", "update", "--detach", "--no-resolve-image"];
        docker(&[&update, options, &[&*service]].concat()).map(drop)
    }

    pub fn scale(&self, service: &str, replicas: usize) -> Result<()> {
        let scale = format!("{}={replicas}", self.service(service));
        docker(&["service", "scale", "--detach", &scale]).map(drop)
    }

    /// How many replicas a service is told to have.
    pub fn replicas(&self, service: &str) -> Result<usize> {
        let replicas = self.inspect(service, "{{.Spec.Mode.Replicated.Replicas}}")?;
        replicas
            .parse()
            .map_err(|_| format!("{replicas:?} replicas of {service}"))
    }

    /// How the last update of a service went, as Docker names it; empty if there was none.
    pub fn update_state(&self, service: &str) -> Result<String> {
        self.inspect(service, "{{with .UpdateStatus}}{{.State}}{{end}}")
    }

    pub fn image(&self, service: &str) -> Result<String> {
        self.inspect(service, "{{.Spec.TaskTemplate.ContainerSpec.Image}}")
    }

    fn inspect(&self, service: &str, format: &str) -> Result<String> {
        let service = self.service(service);
        docker(&["service", "inspect", "--format", format, &service])
    }

    /// Whether everything that is to run does, with so many tasks of A and B together, and no update is under way.
    pub fn is_settled(&self, expected: usize) -> Result<bool> {
        let running = ["--filter", "desired-state=running"];
        let format = ["--format", "{{.Name}} {{.CurrentState}}"];
        let tasks = docker(&[&["stack", "ps", &self.0], &running[..], &format].concat())?;
        let prefixes = [A, B].map(|service| self.service(service) + ".");
        let is_ours = |task: &&str| prefixes.iter().any(|prefix| task.starts_with(prefix));
        let is_running = |task: &str| {
            let state = task.split(' ').nth(1);
            state == Some("Running")
        };
        let is_updating = |state: &str| ["updating", "rollback_started"].contains(&state);
        Ok(tasks.lines().all(is_running)
            && tasks.lines().filter(is_ours).count() == expected
            && !is_updating(&self.update_state(A)?)
            && !is_updating(&self.update_state(B)?))
    }
}

/// What the command printed, or all that is known of why it failed.
pub fn docker(arguments: &[&str]) -> Result<String> {
    let mut command = Command::new("docker");
    let output = command.args(arguments).output();
    let output = output.map_err(|error| format!("cannot run docker: {error}"))?;
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    match output.status.success() {
        true => Ok(stdout.trim().to_owned()),
        false => Err(format!("{command:?}: {}: {stdout}{stderr}", output.status)),
    }
}
