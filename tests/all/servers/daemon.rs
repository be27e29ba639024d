//! Starting a real server: in a directory of its own, as a user of its own, on a port of its own, and never for longer
//! than the test.

use crate::support::{Run, Skip, check, program};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// Where Debian puts programs of servers that are not on PATH.
const PLACES: &[&str] = &[
    // Before the wrapper in /usr/sbin, which takes the log away.
    "/usr/lib/rabbitmq/bin",
    "/usr/lib/postgresql/15/bin",
    "/usr/share/tomcat10/bin",
];

/// How long the slowest of them, started beside the others, may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// A port of this machine on which nobody listens. It is below those that the kernel gives to clients, which could
/// take it again before the server does. Its twin for datagrams is kept, as a sign to other runs of these tests.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 20_000 + (std::process::id() % 100 * 100) as u16;
    loop {
        let port = start + NEXT.fetch_add(1, Ordering::SeqCst) % 2000;
        let in_use = ["127.0.0.1", "::1"].iter().any(|host| {
            // A machine without IPv6 has the other error.
            TcpListener::bind((*host, port))
                .is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
        });
        match UdpSocket::bind(("127.0.0.1", port)) {
            Ok(sign) if !in_use => {
                TAKEN.lock().expect("the signs").push(sign);
                return port;
            }
            _ => {}
        }
    }
}

/// The twins of the ports that are given away.
static TAKEN: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());

/// The same for a server that takes datagrams, which needs the twin itself.
pub fn free_port_and_twin() -> u16 {
    let port = free_port();
    let is_other = |sign: &UdpSocket| sign.local_addr().is_ok_and(|sign| sign.port() != port);
    TAKEN.lock().expect("the signs").retain(is_other);
    port
}

/// The directory of a server, removed in the end.
pub struct Home {
    temporary: tempfile::TempDir,
    /// Who runs the server, if the test may choose.
    user: Option<(u32, u32)>,
}

impl Home {
    /// A directory that belongs to `user`, as whom its programs run. Servers that insist on root get `root`.
    pub fn of(user: &str) -> Result<Self, Skip> {
        let passwd = std::fs::read_to_string("/etc/passwd").expect("read /etc/passwd");
        let temporary = tempfile::tempdir().expect("make a directory");
        let root = std::os::unix::fs::MetadataExt::uid(
            &temporary.path().metadata().expect("its metadata"),
        ) == 0;
        let entry = passwd
            .lines()
            .find_map(|line| line.strip_prefix(user)?.strip_prefix(':'));
        let user = match entry {
            _ if !root && user == "root" => {
                return Err(Skip::new("it has to be started by root"));
            }
            // Whoever is not root can be nobody else, which is what most servers want.
            _ if !root => None,
            None => {
                return Err(Skip::new(format!(
                    "there is no user {user}: it is not installed"
                )));
            }
            Some(entry) => {
                let mut ids = entry
                    .split(':')
                    .skip(1)
                    .map(|id| id.parse().expect("an id"));
                Some((
                    ids.next().expect("a user id"),
                    ids.next().expect("a group id"),
                ))
            }
        };
        let home = Home { temporary, user };
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(home.temporary.path(), mode).expect("open the directory");
        home.own(home.temporary.path());
        Ok(home)
    }

    fn own(&self, path: &Path) {
        if let Some((user, group)) = self.user {
            chown(path, Some(user), Some(group)).expect("give it to the server's user");
        }
    }

    /// The path of something in it.
    pub fn path(&self, name: &str) -> String {
        let path = self.temporary.path().join(name);
        path.to_str().expect("a path in UTF-8").to_owned()
    }

    /// Makes a directory in it.
    pub fn dir(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(&path).expect("make a directory");
        self.own(path.as_ref());
        path
    }

    /// Writes a file in it.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).expect("write a file");
        self.own(path.as_ref());
        path
    }

    /// A certificate for localhost and its key, in one file each.
    pub fn certificate(&self) -> Result<(String, String), Skip> {
        let (certificate, key) = (self.path("cert.pem"), self.path("key.pem"));
        let made = self
            .command("openssl")?
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
            .args([
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
            ])
            .args(["-keyout", &key, "-out", &certificate])
            .output()
            .expect("run openssl");
        assert!(made.status.success(), "{made:?}");
        Ok((certificate, key))
    }

    /// Whether a file of a package is there, for a program that can be installed without it.
    pub fn needs(file: &str) -> Result<(), Skip> {
        match Path::new(file).exists() {
            true => Ok(()),
            false => Err(Skip::new(format!("there is no {file}"))),
        }
    }

    /// A command in this directory, run as its user, that does not outlive the test.
    pub fn command(&self, name: &str) -> Result<Command, Skip> {
        // First, so that nothing outside of PATH is found where PATH is bare.
        let mut command = Command::new(program("setpriv")?);
        let found = PLACES
            .iter()
            .map(|place| Path::new(place).join(name))
            .find(|path| path.exists());
        let found = found.map_or_else(|| program(name), Ok)?;
        command.args(["--pdeathsig", "KILL"]);
        if let Some((user, group)) = self.user.filter(|&(user, _)| user != 0) {
            command.args([
                "--reuid",
                &user.to_string(),
                "--regid",
                &group.to_string(),
                "--init-groups",
            ]);
        }
        command
            .arg(found)
            .current_dir(self.temporary.path())
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", self.temporary.path())
            .stdin(Stdio::null())
            .process_group(0);
        Ok(command)
    }

    /// Runs a command that comes to an end, such as one that makes a database.
    #[track_caller]
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<(), Skip> {
        let done = self
            .command(program)?
            .args(arguments)
            .output()
            .expect("run it");
        assert!(done.status.success(), "{program} {arguments:?}: {done:?}");
        Ok(())
    }

    /// Starts a server that stays in the foreground.
    pub fn start(&self, program: &str, arguments: &[&str]) -> Result<Daemon, Skip> {
        let mut command = self.command(program)?;
        command.args(arguments);
        Ok(self.spawn(&mut command))
    }

    /// The same with a command.
    pub fn spawn(&self, command: &mut Command) -> Daemon {
        let path = PathBuf::from(self.path("log"));
        // To be appended to, by whoever writes.
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&path)
            .expect("open a log");
        self.own(&path);
        let errors = log.try_clone().expect("the log again");
        let what = format!("{command:?}");
        let child = command
            .stdout(log)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        Daemon {
            child,
            log: path,
            what,
        }
    }
}

/// A server that runs.
pub struct Daemon {
    child: Child,
    log: PathBuf,
    what: String,
}

impl Daemon {
    /// Waits until the checker is content with the server.
    #[track_caller]
    pub fn up(&mut self, arguments: &[&str]) {
        self.eventually("healthy", || {
            let run = check(arguments);
            assert!(!run.stderr.starts_with("error: "), "{run}");
            run.code == Some(0)
        });
    }

    /// Lets clients in until there is no place for the checker, and returns what it says then. How many that takes
    /// depends on when the server forgets the check before.
    #[track_caller]
    pub fn full(&mut self, arguments: &[&str], mut another: impl FnMut()) -> Run {
        let mut last = None;
        self.eventually("full", || {
            another();
            let run = last.insert(check(arguments));
            run.code == Some(1)
        });
        last.expect("a run")
    }

    /// Waits until `state` is there.
    #[track_caller]
    pub fn eventually(&mut self, state: &str, mut is: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !is() {
            if let Some(status) = self.child.try_wait().expect("look after the server") {
                panic!("{}: ended with {status} before it was {state}", self.what);
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{}: not {state} after {PATIENCE:?}",
                self.what
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Asserts that what `checks` does leaves no line in the log but such as `fine` accepts.
    #[track_caller]
    pub fn logs_only(&self, fine: impl Fn(&str) -> bool, checks: impl FnOnce()) {
        // A line about what was asked before may come late.
        let before = self.settled_log().len();
        checks();
        let log = self.settled_log();
        let complaints: Vec<&str> = log[before..].lines().filter(|line| !fine(line)).collect();
        assert!(complaints.is_empty(), "in the log: {complaints:#?}");
    }

    /// What it has logged, once nothing was added to it for 300 ms.
    fn settled_log(&self) -> String {
        let begun = Instant::now();
        let mut log = self.log();
        loop {
            std::thread::sleep(Duration::from_millis(300));
            let now = self.log();
            if now.len() == log.len() || begun.elapsed() > PATIENCE {
                return now;
            }
            log = now;
        }
    }

    /// Sends a signal to it.
    pub fn signal(&self, name: &str) {
        self.kill(name, "");
    }

    /// Sends a signal to it, or with a dash to all of its group; whether there still is one, is not asked.
    fn kill(&self, signal: &str, dash: &str) {
        // The shell's own kill: a machine without procps has no other.
        let line = format!("kill -s {signal} -- {dash}{}", self.child.id());
        let _ = Command::new("/bin/sh")
            .args(["-c", &line])
            .stderr(Stdio::null())
            .status();
    }

    /// Asserts that a server that is stopped in the middle of everything is not taken for a healthy one. The kernel goes
    /// on to accept connections for it.
    #[track_caller]
    pub fn hangs(&self, arguments: &[&str], name: &str) {
        self.kill("STOP", "-");
        // It takes a moment to reach each thread, and until then one may answer, be it that it is ill.
        let begun = Instant::now();
        let asked = loop {
            let asked = check(arguments.iter().chain(&["--timeout", "300ms"]));
            let is_late = asked.stderr.contains(": no response within ");
            if is_late || begun.elapsed() > Duration::from_secs(2) {
                break asked;
            }
        };
        self.kill("CONT", "-");
        // There are no connections over UDP.
        let connected = match name.starts_with("dns:") {
            true => "request sent to *, ",
            false => "connected, *",
        };
        asked.unhealthy(&format!(
            "unhealthy: {name}: no response within 300 ms: {connected}waiting for the *"
        ));
    }

    /// Ends it, and waits until nothing is left of it.
    pub fn stop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        self.kill("TERM", "-");
        self.kill("CONT", "-");
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(2) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                self.kill("KILL", "-");
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.kill("KILL", "-");
        let _ = self.child.wait();
    }

    /// Ends it, and asserts that nobody answers any more.
    #[track_caller]
    pub fn dies(&mut self, arguments: &[&str], name: &str) {
        self.stop();
        let begun = Instant::now();
        loop {
            let run = check(arguments);
            // Its children may take a moment longer.
            if run.stderr.contains("refused") || begun.elapsed() > Duration::from_secs(5) {
                run.unhealthy(&format!("unhealthy: {name}: connection refused at *"));
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() {
            let log = self.log();
            let tail = &log[log.floor_char_boundary(log.len().saturating_sub(4000))..];
            let _ = writeln!(std::io::stderr(), "{}: its log:\n{tail}", self.what);
        }
    }
}

/// A connection on which these bytes were sent and something came back, be it that there is no place.
pub fn hold(port: u16, say: &[u8]) -> TcpStream {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).expect("connect");
    connection.write_all(say).expect("send");
    let _ = connection.read(&mut [0; 4096]);
    connection
}
