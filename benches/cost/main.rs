//! What one check costs, ours beside others, all in one run: `cargo bench`.
//!
//! Every check is a fresh process, as it is in a container. The programs take turns, so that whatever else the machine
//! does falls on all of them alike, and each asks a server in this process: a healthy one, one that says 503, and a port
//! that nobody listens on. All figures are the kernel's own account of the process; `bare/run.rs` says how it is read.
//! The first rows are the ground: a process that only exits, and one that only does what any check has to do.
//!
//! These variables add to it:
//!
//! - `HEALTHCHECKERS='smallest=PATH,musl=PATH'`: other builds of this program, by name.
//! - `PEERS='httpcheck=PATH {url};go=PATH -port={port}'`: other checkers, with arguments. curl, wget and busybox are found.
//! - `RUNS=100`: how many times each is run against each server; 1000 otherwise.
//! - `DOCKER=1`: also measure what Docker itself spends on a check; `docker.rs` says how.
//! - `WRITE=1`: also write `benches/cost.md` and `benches/cost.svg`.

// A benchmark talks to people; the rule is for the product.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod chart;
mod docker;
mod measure;
mod table;

use measure::{Program, Sample, Tools, Trace};
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;
use std::{env, fs, thread};
use table::{Table, cores, milliseconds, seconds, size};

const HEALTHY: &str = "200 OK";
const UNHEALTHY: &str = "503 Service Unavailable";
/// Nothing listens there: it is tcpmux, of 1988.
const REFUSED: u16 = 1;

const NOTES: &str = "\
CPU time and page faults are the kernel's account of the whole process, from vfork to the end; the first row is what it \
takes to make and remove one that does nothing. Times are medians and 99th percentiles. Peak RSS counts the pages of \
the file that are in use too. System calls include execve and exit. The service's CPU is what the other side took for \
the check, by the kernel's account of its thread.";

fn main() -> ExitCode {
    // `cargo test --benches` runs this too, and has no use for it.
    if !env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<(), String> {
    let tools = Tools::build()?;
    let programs = programs(&tools)?;
    let runs = match env::var("RUNS") {
        Ok(runs) => runs
            .parse()
            .map_err(|_| format!("RUNS: {runs:?} is not a number"))?,
        Err(_) => 1000,
    };

    // First of all, because a checker may look into the kernel's list of sockets when it is refused, and the other two
    // servers will leave thousands behind that are no more than waiting to be forgotten.
    let refused = costs(&tools, &programs, &Service::NONE, runs)?;
    let healthy = costs(&tools, &programs, &Service::saying(HEALTHY)?, runs)?;
    let unhealthy = costs(&tools, &programs, &Service::saying(UNHEALTHY)?, runs)?;
    let docker = match env::var_os("DOCKER") {
        Some(_) => Some(docker::spending(&tools)?),
        None => None,
    };

    let mut report = Report::default();
    report.text(&machine());
    report.text(NOTES);
    report.table(
        &format!("A healthy service: {HEALTHY}"),
        &checks(&programs, &healthy, true),
    );
    report.table(
        &format!("An unhealthy one: {UNHEALTHY}"),
        &checks(&programs, &unhealthy, false),
    );
    report.table(
        "A port that nobody listens on",
        &checks(&programs, &refused, false),
    );
    let per_check = docker.as_ref().map(docker::Spending::per_check);
    report.table(
        &format!(
            "{runs} checks of the healthy service in {runs} processes; and one every 10 s for good"
        ),
        &fleets(&programs, &healthy, per_check),
    );
    if let Some(docker) = docker {
        report.text(&docker.to_string());
    }

    print!("{}", report.plain);
    if env::var_os("WRITE").is_some() {
        let benches = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches");
        let write = |name, text: &str| {
            fs::write(benches.join(name), text).map_err(|error| format!("benches/{name}: {error}"))
        };
        write("cost.md", &report.markdown)?;
        write("cost.svg", &chart::svg(&bars(&programs, &healthy)))?;
    }
    Ok(())
}

/// What is measured, in the order of the tables: the ground, our builds, peers that were named, peers that were found.
fn programs(tools: &Tools) -> Result<Vec<Program>, String> {
    let mut programs = vec![
        Program::new("a process that exits", &tools.floor.display().to_string())?,
        Program::new("floor", &format!("{} {{port}}", tools.floor.display()))?,
        Program::ours("healthchecker", env!("CARGO_BIN_EXE_healthchecker"))?,
    ];
    let listed = |variable, separator| {
        let list: String = env::var(variable).unwrap_or_default();
        list.split(separator)
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(|entry| match entry.split_once('=') {
                Some((name, rest)) => Ok((name.to_owned(), rest.to_owned())),
                None => Err(format!("{variable}: {entry:?} has no name")),
            })
            .collect::<Result<Vec<_>, _>>()
    };
    for (name, path) in listed("HEALTHCHECKERS", ',')? {
        programs.push(Program::ours(&name, &path)?);
    }
    for (name, command) in listed("PEERS", ';')? {
        programs.push(Program::new(&name, &command)?);
    }
    // As quiet and as short as they can be told to be.
    let common = [
        ("curl", "curl -fsS -o /dev/null {url}"),
        ("wget", "wget -q -O /dev/null -t 1 {url}"),
        ("busybox wget", "busybox wget -q -O /dev/null {url}"),
    ];
    programs.extend(
        common
            .iter()
            .filter_map(|(name, command)| Program::new(name, command).ok()),
    );
    Ok(programs)
}

/// What is asked.
struct Service {
    port: u16,
    /// Where the kernel accounts for its thread, if there is one.
    thread: Option<PathBuf>,
}

impl Service {
    /// None at all.
    const NONE: Service = Service {
        port: REFUSED,
        thread: None,
    };

    /// Serves one answer, in the form of Go's net/http, for as long as this process lives.
    fn saying(status: &'static str) -> Result<Self, String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener
            .local_addr()
            .expect("the address of a listener")
            .port();
        let body = match status {
            HEALTHY => r#"{"status":"UP"}"#,
            _ => r#"{"status":"Database unaccessible"}"#,
        };
        let reply = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let _ = tell.send(fs::read_link("/proc/thread-self"));
            let mut request = [0; 4096];
            for mut connection in listener.incoming().flatten() {
                // All of them send their few bytes at once. One that is gone before the answer is no concern of this side.
                let _ = connection.read(&mut request);
                let _ = connection.write_all(reply.as_bytes());
            }
        });
        match told.recv() {
            Ok(Ok(thread)) => Ok(Service {
                port,
                thread: Some(Path::new("/proc").join(thread)),
            }),
            _ => Err("the service's thread is not in /proc".into()),
        }
    }

    /// The CPU time that it has taken, once it waits for the next connection.
    fn cpu(&self) -> Duration {
        let Some(thread) = &self.thread else {
            return Duration::ZERO;
        };
        let read = |file| fs::read_to_string(thread.join(file)).expect("a thread of this process");
        // proc(5): the state is behind the name, which is in parentheses.
        while !read("stat").contains(") S ") {
            thread::yield_now();
        }
        let schedstat = read("schedstat");
        let nanoseconds = schedstat.split(' ').next();
        Duration::from_nanos(nanoseconds.and_then(|text| text.parse().ok()).unwrap_or(0))
    }
}

/// What was measured of one program against one service.
struct Cost {
    samples: Vec<Sample>,
    /// The service's CPU time for each of them.
    service: Vec<Duration>,
    trace: Option<Trace>,
}

impl Cost {
    /// The value below which `percent` of the samples are.
    fn percentile<T: Ord + Copy>(&self, percent: usize, of: impl Fn(&Sample) -> T) -> T {
        let mut values: Vec<T> = self.samples.iter().map(of).collect();
        values.sort_unstable();
        values[(values.len() * percent / 100).min(values.len() - 1)]
    }

    /// The median.
    fn of_service(&self) -> Duration {
        let mut values = self.service.clone();
        values.sort_unstable();
        values[values.len() / 2]
    }

    fn total(&self, of: impl Fn(&Sample) -> Duration) -> Duration {
        self.samples.iter().map(of).sum()
    }

    /// What one costs on average: unlike the median, it can be multiplied.
    fn cpu(&self) -> Duration {
        self.total(|sample| sample.cpu) / self.samples.len() as u32
    }
}

fn costs(
    tools: &Tools,
    programs: &[Program],
    service: &Service,
    runs: usize,
) -> Result<Vec<Cost>, String> {
    // Before all else, because it also brings the files into memory.
    let mut costs = Vec::new();
    for program in programs {
        let trace = tools.trace(program, service.port);
        costs.push(Cost {
            samples: Vec::with_capacity(runs),
            service: Vec::with_capacity(runs),
            trace,
        });
    }
    let mut order: Vec<usize> = (0..programs.len()).collect();
    for _ in 0..runs.max(1) {
        shuffle(&mut order);
        for &at in &order {
            let before = service.cpu();
            let sample = tools.measure(&programs[at], service.port)?;
            costs[at].samples.push(sample);
            costs[at].service.push(service.cpu() - before);
        }
    }
    Ok(costs)
}

/// Puts the programs in another order: who always came after a large one would always find the caches cold.
fn shuffle(order: &mut [usize]) {
    for at in (1..order.len()).rev() {
        order.swap(at, RandomState::new().hash_one(at) as usize % (at + 1));
    }
}

fn checks(programs: &[Program], costs: &[Cost], healthy: bool) -> Table {
    let mut table = Table::new(&[
        "program",
        "CPU, ms",
        "99th",
        "service's CPU",
        "time, ms",
        "99th",
        "page faults",
        "peak RSS",
        "system calls",
        "verdict",
    ]);
    for (program, cost) in programs.iter().zip(costs) {
        let right = cost
            .samples
            .iter()
            .filter(|sample| sample.succeeded == healthy)
            .count();
        table.row([
            program.name.clone(),
            milliseconds(cost.percentile(50, |sample| sample.cpu)),
            milliseconds(cost.percentile(99, |sample| sample.cpu)),
            match cost.of_service() {
                Duration::ZERO => "-".into(),
                cpu => milliseconds(cpu),
            },
            milliseconds(cost.percentile(50, |sample| sample.wall)),
            milliseconds(cost.percentile(99, |sample| sample.wall)),
            cost.percentile(50, |sample| sample.page_faults).to_string(),
            cost.trace
                .as_ref()
                .map_or("-".into(), |trace| size(trace.peak_rss)),
            cost.trace
                .as_ref()
                .map_or("-".into(), |trace| trace.system_calls.to_string()),
            match right {
                _ if !program.judges() => "-".into(),
                right if right == cost.samples.len() => "right".into(),
                right => format!("wrong in {}", cost.samples.len() - right),
            },
        ]);
    }
    table
}

fn fleets(programs: &[Program], costs: &[Cost], docker: Option<Duration>) -> Table {
    const INTERVAL: Duration = Duration::from_secs(10);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let per_day = (DAY.as_secs() / INTERVAL.as_secs()) as u32;
    let fleet = |cpu: Duration| {
        let share = cpu.as_secs_f64() / INTERVAL.as_secs_f64();
        [
            format!("{} s", seconds(cpu * per_day)),
            cores(share * 10_000.0),
            cores(share * 1_000_000.0),
        ]
    };
    let mut table = Table::new(&[
        "program",
        "file",
        "with libraries",
        "CPU of all, s",
        "time of all, s",
        "CPU a day",
        "10,000 containers",
        "1,000,000 containers",
    ]);
    for (program, cost) in programs.iter().zip(costs) {
        let [day, thousands, million] = fleet(cost.cpu());
        table.row([
            program.name.clone(),
            size(program.file),
            size(program.with_libraries),
            seconds(cost.total(|sample| sample.cpu)),
            seconds(cost.total(|sample| sample.wall)),
            day,
            thousands,
            million,
        ]);
    }
    if let Some(cpu) = docker {
        let [day, thousands, million] = fleet(cpu);
        let none = || "-".to_owned();
        table.row([
            "Docker itself".into(),
            none(),
            none(),
            none(),
            none(),
            day,
            thousands,
            million,
        ]);
    }
    table
}

fn bars(programs: &[Program], costs: &[Cost]) -> Vec<chart::Bar> {
    let mut bars: Vec<_> = programs
        .iter()
        .zip(costs)
        .filter(|(program, _)| program.judges())
        .map(|(program, cost)| chart::Bar {
            name: program.name.clone(),
            ours: program.ours,
            bytes: program.with_libraries,
            cpu: cost.percentile(50, |sample| sample.cpu),
        })
        .collect();
    bars.sort_by_key(|bar| bar.cpu);
    bars
}

fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo")
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or(env::consts::ARCH.to_owned(), |(_, model)| model.to_owned());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!(
        "`cargo bench` on {cores} cores of {cpu}, Linux {}.",
        kernel.trim()
    )
}

/// The same things for a terminal and for a Markdown file.
#[derive(Default)]
struct Report {
    plain: String,
    markdown: String,
}

impl Report {
    fn text(&mut self, text: &str) {
        let _ = writeln!(self.plain, "{text}\n");
        let _ = writeln!(self.markdown, "{text}\n");
    }

    fn table(&mut self, title: &str, table: &Table) {
        let _ = writeln!(self.plain, "{title}\n\n{}", table.plain());
        let _ = writeln!(self.markdown, "## {title}\n\n{}", table.markdown());
    }
}
