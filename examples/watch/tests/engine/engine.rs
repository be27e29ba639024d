//! An engine of the tests' own, with containers that are well as long as a file exists.

use crate::{SERVICE, watch};
use std::cell::OnceCell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Why nothing was tested.
pub type Skip = String;

const PATIENCE: Duration = Duration::from_secs(60);

pub struct Engine {
    /// Its data, its socket, and the files by which containers are well, in the folder `state`.
    dir: TempDir,
    daemon: Child,
    keeps_containers: bool,
    node: OnceCell<String>,
}

impl Engine {
    pub fn start() -> Result<Self, Skip> {
        let user = Command::new("id").arg("--user").output();
        let is_root = user.is_ok_and(|user| user.stdout == b"0\n");
        if !is_root {
            return Err("only root can start an engine".into());
        }
        for program in ["dockerd", "docker", "ip", "tar"] {
            let path = std::env::var_os("PATH").unwrap_or_default();
            if !std::env::split_paths(&path).any(|folder| folder.join(program).is_file()) {
                return Err(format!("{program} is not on PATH"));
            }
        }
        let checker = checker();
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir(dir.path().join("state")).expect("a folder");
        let daemon = daemon(dir.path(), false);
        let mut engine = Engine {
            dir,
            daemon,
            keeps_containers: false,
            node: OnceCell::new(),
        };
        if !engine.answers() {
            let log = fs::read_to_string(engine.dir.path().join("log")).unwrap_or_default();
            let last = log.lines().last().unwrap_or_default().to_owned();
            return Err(format!("dockerd does not start here: {last}"));
        }
        engine.make_image(&checker);
        Ok(engine)
    }

    /// Ends it, and whatever it has left behind.
    pub fn end(&mut self) {
        for id in self.all() {
            let _ = self.run_docker(&["rm", "--force", &id]);
        }
        let _ = self.signal("TERM");
        let _ = self.daemon.wait();
        ip(&["link", "del", &bridge()]);
        let dir = self.dir.path().display().to_string();
        // The parents of containers, after a crash.
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&line).contains(&dir) {
                let pid = entry.file_name();
                let _ = Command::new("kill").arg("-9").arg(pid).status();
            }
        }
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let places = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        for place in places.filter(|place| place.starts_with(&dir)) {
            let _ = Command::new("umount").args(["--lazy", place]).status();
        }
        let _ = fs::remove_dir_all(dir);
    }

    /// Ends it, with TERM as an administrator does or with KILL as a crash does, and starts it again after `meanwhile`.
    pub fn restart(&mut self, signal: &str, meanwhile: impl FnOnce(&Engine)) {
        assert!(self.signal(signal), "kill");
        self.daemon.wait().expect("wait for dockerd");
        // Its containerd has died with it, or will, and a PID of a crash may be somebody else's by now.
        for file in ["pid", "exec/containerd/containerd.pid"] {
            let _ = fs::remove_file(self.dir.path().join(file));
        }
        meanwhile(self);
        self.daemon = daemon(self.dir.path(), self.keeps_containers);
        assert!(self.answers(), "dockerd does not come back");
    }

    fn signal(&self, name: &str) -> bool {
        let pid = self.daemon.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status();
        status.is_ok_and(|status| status.success())
    }

    /// Whether its containers run on while it is restarted. It wants a restart to know.
    pub fn keep_containers(&mut self, keeps: bool) {
        self.keeps_containers = keeps;
    }

    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("docker.sock")
    }

    fn answers(&mut self) -> bool {
        let end = Instant::now() + PATIENCE;
        while self.run_docker(&["version"]).is_err() {
            let has_ended = !matches!(self.daemon.try_wait(), Ok(None));
            if has_ended || Instant::now() > end {
                return false;
            }
            thread::sleep(Duration::from_millis(100));
        }
        true
    }

    /// The name that it has for this machine.
    pub fn node(&self) -> &str {
        self.node
            .get_or_init(|| self.docker("info --format {{.Name}}"))
    }

    /// One image for all: the checker, this test as a service, and the program under test.
    fn make_image(&self, checker: &Path) {
        let root = self.dir.path().join("root");
        fs::create_dir(&root).expect("a folder");
        let service = std::env::current_exe().expect("this program");
        for (from, to) in [
            (checker, "checker"),
            (&service, "service"),
            (Path::new(watch::PROGRAM), "watch"),
        ] {
            fs::copy(from, root.join(to)).expect("copy a program");
        }
        let tar = self.dir.path().join("image.tar");
        let status = Command::new("tar")
            .args(["--create", "--file"])
            .args([&tar, Path::new("--directory"), &root, Path::new(".")])
            .status();
        assert!(status.is_ok_and(|status| status.success()), "tar");
        let healthcheck = "HEALTHCHECK --interval=500ms --timeout=10s --retries=1 \
            CMD [\"/checker\", \"file:/state/${NAME}\"]";
        let entrypoint = format!("ENTRYPOINT [\"/service\", \"{SERVICE}\"]");
        let tar = tar.display().to_string();
        let import = [
            "import",
            "--change",
            healthcheck,
            "--change",
            &entrypoint,
            &tar,
            "it",
        ];
        self.run_docker(&import).expect("import the image");
        fs::remove_file(&tar).expect("remove the archive");
        fs::remove_dir_all(&root).expect("remove the folder");
    }

    /// Starts a container that is well, and dies at once when it is stopped.
    pub fn run(&self, name: &str, options: &str) -> String {
        self.run_with_stop(name, options, "KILL")
    }

    pub fn run_with_stop(&self, name: &str, options: &str, stop_signal: &str) -> String {
        self.well(name);
        let state = self.dir.path().join("state");
        self.docker(&format!(
            "run --detach --name {name} --network none --env NAME={name} --volume {}:/state \
            --stop-signal {stop_signal} {options} it",
            state.display()
        ))
    }

    /// Starts the program under test in a container.
    pub fn run_watch(&self, name: &str, options: &str) {
        self.docker(&format!(
            "run --detach --name {name} --network host --no-healthcheck --entrypoint /watch \
            --volume {}:/var/run/docker.sock it {options}",
            self.socket().display()
        ));
        self.until("it watches", |engine| {
            let logs = engine.docker(&format!("logs {name}"));
            logs.contains("containers are here")
        });
    }

    pub fn well(&self, name: &str) {
        File::create(self.file(name)).expect("a file");
    }

    pub fn ill(&self, name: &str) {
        fs::remove_file(self.file(name)).expect("it was well");
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join("state").join(name)
    }

    /// The first twelve letters of a container's ID.
    pub fn id(&self, name: &str) -> String {
        let id = self.docker(&format!("inspect --format {{{{.Id}}}} {name}"));
        id[..12].to_owned()
    }

    /// When the container was started.
    pub fn started(&self, name: &str) -> String {
        self.docker(&format!("inspect --format {{{{.State.StartedAt}}}} {name}"))
    }

    pub fn becomes(&self, name: &str, health: &str) {
        let command = format!("inspect --format {{{{.State.Health.Status}}}} {name}");
        let what = format!("{name} is {health}");
        self.until(&what, |engine| engine.docker(&command) == health);
    }

    #[track_caller]
    pub fn until(&self, what: &str, condition: impl Fn(&Engine) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !condition(self) {
            assert!(Instant::now() < end, "not true within {PATIENCE:?}: {what}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Does something while a container is being stopped.
    pub fn with_stopping(&self, name: &str, meanwhile: impl FnOnce(&Engine)) {
        thread::scope(|scope| {
            let host = self.host();
            let stop = move || docker(&host, &["stop", name]);
            let stop = scope.spawn(stop);
            // The signal is sent at once, and its event with it.
            thread::sleep(Duration::from_millis(300));
            meanwhile(self);
            stop.join().expect("no panic").expect("docker stop");
        });
    }

    pub fn remove_all(&self) {
        for id in self.all() {
            self.docker(&format!("rm --force {id}"));
        }
    }

    fn all(&self) -> Vec<String> {
        let all = self.run_docker(&["ps", "--all", "--quiet"]);
        let all = all.unwrap_or_default();
        all.lines().map(str::to_owned).collect()
    }

    /// What `docker` prints, with these arguments.
    #[track_caller]
    pub fn docker(&self, arguments: &str) -> String {
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        match self.run_docker(&arguments) {
            Ok(stdout) => stdout,
            Err(error) => panic!("docker {arguments:?}: {error}"),
        }
    }

    fn run_docker(&self, arguments: &[&str]) -> Result<String, String> {
        docker(&self.host(), arguments)
    }
}

fn docker(host: &str, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new("docker");
    let output = command.args(["--host", host]).args(arguments).output();
    let output = output.map_err(|error| error.to_string())?;
    let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
    match output.status.success() {
        // `docker logs` has both streams.
        true if arguments[0] == "logs" => Ok(text(&output.stdout) + "\n" + &text(&output.stderr)),
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr)),
    }
}

/// With a bridge that nobody uses, because its containers need no network. (With `--bridge none` it would remove `docker0`,
/// which the machine's own engine needs.)
fn daemon(dir: &Path, keeps_containers: bool) -> Child {
    let path = |name: &str| dir.join(name).display().to_string();
    let log = File::options().create(true).append(true).open(path("log"));
    let log = log.expect("a log");
    let namespace = format!("watch-{}", std::process::id());
    let bridge = bridge();
    // There already, if this is not the first start.
    ip(&["link", "add", &bridge, "type", "bridge"]);
    Command::new("dockerd")
        .args(["--data-root", &path("data"), "--exec-root", &path("exec")])
        .args(["--pidfile", &path("pid")])
        .args(["--host", &format!("unix://{}", path("docker.sock"))])
        .args(["--bridge", &bridge, "--iptables=false", "--ip6tables=false"])
        // Where a containerd runs already, dockerd would use that one.
        .args(["--containerd-namespace", &namespace])
        .args([
            "--containerd-plugins-namespace",
            &format!("{namespace}-plugins"),
        ])
        .args(["--cgroup-parent", "/watch-test"])
        .args(keeps_containers.then_some("--live-restore"))
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("the log"))
        .stderr(log)
        .spawn()
        .expect("start dockerd")
}

/// What its bridge is called.
fn bridge() -> String {
    format!("watch{}", std::process::id())
}

fn ip(arguments: &[&str]) -> bool {
    let output = Command::new("ip").args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}

/// The checker: the one that $HEALTHCHECKER names, or the one that this repository makes.
fn checker() -> PathBuf {
    if let Some(path) = std::env::var_os("HEALTHCHECKER") {
        return path.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(env!("CARGO"))
        .args(["build", "--message-format=json", "--bin=healthchecker"])
        .current_dir(&root)
        .stderr(Stdio::inherit())
        .output()
        .expect("run cargo");
    assert!(output.status.success(), "cargo build");
    let messages = String::from_utf8(output.stdout).expect("UTF-8");
    let executable = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    executable.expect("cargo names the program")
}
