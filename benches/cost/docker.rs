//! What Docker itself spends on a HEALTHCHECK.
//!
//! A container that does nothing is checked, as often as the engine can, by a program that only exits. What the daemon,
//! containerd and the container's shim use of the CPU while it is so, less what they use while it is not, is what they
//! spend on checks. The shim's share holds all of runc, whose processes are its children. What the kernel does for them
//! in threads of its own is not in it. The engine should have nothing else to do.

use crate::measure::Tools;
use crate::table::milliseconds;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fmt, fs};

const TAG: &str = "healthchecker-bench";
const HEALTHCHECK: &str = r#"HEALTHCHECK --interval=50ms --timeout=5s CMD ["/floor"]"#;
/// Long enough for a hundred checks, and for the hundredths of a second that the kernel tells not to matter.
const WATCH: Duration = Duration::from_secs(20);

/// What the engine has spent, and on how many checks.
pub struct Spending {
    cpu: Duration,
    checks: u32,
}

impl Spending {
    pub fn per_check(&self) -> Duration {
        self.cpu / self.checks
    }
}

impl fmt::Display for Spending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Docker itself (its daemon, containerd, the shim and runc) spends {} ms of CPU on a HEALTHCHECK, whatever the \
             check is; measured over {} of them.",
            milliseconds(self.per_check()),
            self.checks
        )
    }
}

pub fn spending(tools: &Tools) -> Result<Spending, String> {
    let folder = tools.floor.parent().unwrap_or(Path::new("/"));
    let mut tar = Command::new("tar")
        .args([
            "-C".as_ref(),
            folder.as_os_str(),
            "-c".as_ref(),
            "floor".as_ref(),
        ])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("tar: {error}"))?;
    let changes = [
        "--change",
        r#"CMD ["/floor", "wait"]"#,
        "--change",
        HEALTHCHECK,
    ];
    let mut import = Command::new("docker");
    import.arg("import").args(changes).args(["-", TAG]);
    import.stdin(tar.stdout.take().expect("it was piped"));
    text(&mut import)?;
    tar.wait().map_err(|error| format!("tar: {error}"))?;

    let (idle, _) = Container::start(&["--no-healthcheck"])?.watch()?;
    let (busy, checks) = Container::start(&[])?.watch()?;
    docker(&["image", "rm", TAG])?;
    match checks {
        0 => Err("Docker made no check".into()),
        checks => Ok(Spending {
            cpu: busy.saturating_sub(idle),
            checks,
        }),
    }
}

struct Container(String);

impl Container {
    fn start(options: &[&str]) -> Result<Self, String> {
        let run = ["run", "--detach", "--network", "none"];
        Ok(Container(docker(&[&run[..], options, &[TAG]].concat())?))
    }

    /// What the engine spends in a while, and how many checks it makes of this container.
    fn watch(&self) -> Result<(Duration, u32), String> {
        // Starting it is over by then.
        thread::sleep(Duration::from_secs(2));
        let (since, before) = (now(), self.engine()?);
        thread::sleep(WATCH);
        let (until, after) = (now(), self.engine()?);
        let filters = [
            "--filter",
            "event=exec_start",
            "--filter",
            &format!("container={}", self.0),
        ];
        let times = ["events", "--since", &since, "--until", &until];
        let events = docker(&[&times[..], &filters].concat())?;
        Ok((after.saturating_sub(before), events.lines().count() as u32))
    }

    /// The CPU time of all processes that are the engine, as far as this container goes.
    fn engine(&self) -> Result<Duration, String> {
        let read = |process: &str, file| fs::read_to_string(format!("/proc/{process}/{file}")).ok();
        let mut ticks = 0;
        let mut found = 0;
        for process in fs::read_dir("/proc")
            .map_err(|error| format!("/proc: {error}"))?
            .flatten()
        {
            let process = process.file_name().to_string_lossy().into_owned();
            let (Some(stat), Some(command)) = (read(&process, "stat"), read(&process, "cmdline"))
            else {
                continue;
            };
            // The name ends at the last parenthesis; what follows begins with field 3 of proc(5).
            let Some((name, fields)) = stat.rsplit_once(") ") else {
                continue;
            };
            let counts = match name.split_once('(').map_or("", |(_, name)| name) {
                "dockerd" | "containerd" => true,
                "containerd-shim" => command.contains(&self.0),
                _ => false,
            };
            if counts {
                found += 1;
                // utime, stime, cutime and cstime: the last two are of children that have ended.
                let times = fields.split(' ').skip(14 - 3).take(4);
                ticks += times
                    .filter_map(|time| time.parse::<u64>().ok())
                    .sum::<u64>();
            }
        }
        match found {
            0..3 => Err("Docker's processes are not to be seen from here".into()),
            // Linux tells these times in hundredths of a second on every architecture that Docker runs on.
            _ => Ok(Duration::from_millis(ticks * 10)),
        }
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = docker(&["rm", "--force", &self.0]);
    }
}

fn now() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!("{}.{:09}", now.as_secs(), now.subsec_nanos())
}

fn docker(arguments: &[&str]) -> Result<String, String> {
    text(Command::new("docker").args(arguments))
}

fn text(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(format!(
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}
