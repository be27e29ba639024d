//! Programs, and what the kernel says that a run of one has cost.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs};

/// The programs of `bare/`, built for this run.
pub struct Tools {
    pub floor: PathBuf,
    run: PathBuf,
}

/// One run.
pub struct Sample {
    pub wall: Duration,
    pub cpu: Duration,
    pub page_faults: u64,
    pub succeeded: bool,
}

/// What only a slow run under ptrace can tell.
pub struct Trace {
    pub system_calls: u64,
    pub peak_rss: u64,
}

impl Tools {
    pub fn build() -> Result<Self, String> {
        if !cfg!(all(
            target_os = "linux",
            any(target_arch = "x86_64", target_arch = "aarch64")
        )) {
            return Err(
                "the programs in benches/cost/bare are for Linux on x86-64 and aarch64".into(),
            );
        }
        Ok(Tools {
            floor: build("floor")?,
            run: build("run")?,
        })
    }

    pub fn measure(&self, program: &Program, port: u16) -> Result<Sample, String> {
        let output = self
            .command(&["measure".as_ref()], program, port)
            .output()
            .map_err(|error| format!("{}: {error}", self.run.display()))?;
        let Some([status, wall, cpu, page_faults]) = numbers(&output.stdout) else {
            return Err(format!("{} was not measured", program.name));
        };
        Ok(Sample {
            wall: Duration::from_nanos(wall),
            cpu: Duration::from_micros(cpu),
            page_faults,
            succeeded: status == 0,
        })
    }

    /// None where the kernel does not let us trace, or where a program ends without an exit.
    pub fn trace(&self, program: &Program, port: u16) -> Option<Trace> {
        // Programs with threads do not make the same calls each time.
        let mut traces: Vec<_> = (0..5)
            .filter_map(|_| self.trace_once(program, port))
            .collect();
        traces.sort_by_key(|trace| trace.system_calls);
        (!traces.is_empty()).then(|| traces.swap_remove(traces.len() / 2))
    }

    fn trace_once(&self, program: &Program, port: u16) -> Option<Trace> {
        let mode = ["trace".as_ref(), self.run.as_os_str(), "become".as_ref()];
        let mut tracer = self
            .command(&mode, program, port)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let (mut go, mut out) = (tracer.stdin.take()?, tracer.stdout.take()?);
        let mut last = None;
        // More than once if the program starts others, and then it is the last to end that knows the sum.
        while let mut said = [0; 16]
            && out.read_exact(&mut said).is_ok()
        {
            let [process, system_calls] = numbers(&said)?;
            let peak_rss = peak_rss(process).max(last.map_or(0, |last: Trace| last.peak_rss));
            last = Some(Trace {
                system_calls,
                peak_rss,
            });
            go.write_all(b"!").ok()?;
        }
        tracer.wait().ok()?;
        last
    }

    fn command(&self, mode: &[&OsStr], program: &Program, port: u16) -> Command {
        let mut command = Command::new(&self.run);
        // An image FROM scratch has no environment to speak of.
        command.env_clear().args(mode).args(program.command(port));
        command
    }
}

/// Cargo builds no program without std on the way to a benchmark, so this asks the compiler itself.
fn build(name: &str) -> Result<PathBuf, String> {
    let source = format!("{}/benches/cost/bare/{name}.rs", env!("CARGO_MANIFEST_DIR"));
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let rustc = env::var_os("RUSTC").unwrap_or("rustc".into());
    let output = Command::new(&rustc)
        .args("--edition 2024 -Copt-level=s -Cpanic=abort -Cstrip=symbols".split(' '))
        .args("-Ctarget-feature=+crt-static -Crelocation-model=static".split(' '))
        .args("-Clink-arg=-nostartfiles -Clink-arg=-Wl,--build-id=none -o".split(' '))
        .args([program.as_os_str(), source.as_ref()])
        .output()
        .map_err(|error| format!("{}: {error}", rustc.display()))?;
    match output.status.success() {
        true => Ok(program),
        false => Err(format!(
            "{source}: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

fn numbers<const N: usize>(bytes: &[u8]) -> Option<[u64; N]> {
    let (words, []) = bytes.as_chunks() else {
        return None;
    };
    let numbers: &[[u8; 8]; N] = words.try_into().ok()?;
    Some(numbers.map(u64::from_ne_bytes))
}

/// The most memory that a process has held, of one that is stopped.
///
/// The peak that wait4 tells will not do: since Linux 6.2 it is summed up from counters that each processor keeps to
/// itself until they reach 32 pages, so that it is 0 for a small program. Later kernels sum up for `VmHWM` what is still
/// held back, and `smaps_rollup` counts pages one by one: of what is held now, which for programs that free nothing is
/// the same.
fn peak_rss(process: u64) -> u64 {
    let kib = |file: &str, field: &str| {
        let text = fs::read_to_string(format!("/proc/{process}/{file}")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(field))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    };
    1024 * kib("status", "VmHWM:")
        .max(kib("smaps_rollup", "Rss:"))
        .unwrap_or(0)
}

/// A command that checks a service on some port of this machine.
pub struct Program {
    pub name: String,
    pub ours: bool,
    pub file: u64,
    pub with_libraries: u64,
    path: PathBuf,
    arguments: Vec<String>,
}

impl Program {
    /// `command` is a path, or a name to look up, and arguments, in which `{url}` and `{port}` stand for the service's.
    pub fn new(name: &str, command: &str) -> Result<Self, String> {
        let mut words = command.split_whitespace();
        let path = find(words.next().unwrap_or_default())
            .ok_or_else(|| format!("{name}: no file {command}"))?;
        let bytes = |path: &PathBuf| fs::metadata(path).map(|file| file.len()).unwrap_or(0);
        let file = bytes(&path);
        Ok(Program {
            name: name.to_owned(),
            ours: false,
            file,
            with_libraries: file + libraries(&path).iter().map(bytes).sum::<u64>(),
            path,
            arguments: words.map(str::to_owned).collect(),
        })
    }

    /// A build of this program.
    pub fn ours(name: &str, path: &str) -> Result<Self, String> {
        let program = Self::new(name, &format!("{path} {{url}}"))?;
        Ok(Program {
            ours: true,
            ..program
        })
    }

    /// Whether it checks anything at all.
    pub fn judges(&self) -> bool {
        !self.arguments.is_empty()
    }

    fn command(&self, port: u16) -> impl Iterator<Item = String> {
        let fill = move |argument: &String| {
            let url = format!("http://127.0.0.1:{port}/health");
            argument
                .replace("{url}", &url)
                .replace("{port}", &port.to_string())
        };
        [self.path.display().to_string()]
            .into_iter()
            .chain(self.arguments.iter().map(fill))
    }
}

fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = env::split_paths(&path).map(|folder| folder.join(name));
    match name.contains('/') {
        true => fs::canonicalize(name).ok(),
        false => places.find(|place| place.is_file()),
    }
}

/// The shared libraries that a program loads, each of them once.
fn libraries(program: &Path) -> BTreeSet<PathBuf> {
    // Of a static program it says on stderr that it is one.
    let Ok(output) = Command::new("ldd").arg(program).output() else {
        return BTreeSet::new();
    };
    String::from_utf8_lossy(&output.stdout)
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
        .filter_map(|path| fs::canonicalize(path).ok())
        .filter(|path| path != program)
        .collect()
}
