//! What is done to the stack while it is under load, and what must have come of it.

use crate::measure::Bench;
use crate::stack::{A, B, HAPROXY, Result, Stack, docker};
use std::thread;
use std::time::Duration;

/// Why POSTs may be lost in any case.
pub const POSTS: &str = "\
- POSTs: HAProxy sends each to one task only, because it cannot know whether a task that fails had carried it out. So those
  are lost that a task has when it hangs or dies, and that it gets until HAProxy knows.";

pub struct Case {
    pub name: &'static str,
    /// How many replicas of B there are when it begins.
    pub replicas: usize,
    /// Why GETs may be lost; none means that not one may be.
    pub excuse: Option<&'static str>,
    /// Breaks something. What it returns is asked when the stack has settled again.
    pub act: fn(&Bench) -> Result<Check>,
}

/// Whether what should have happened did.
pub type Check = Box<dyn FnOnce(&Stack) -> Result<()>>;

/// How many replicas of B there are, where a case does not say otherwise.
pub const REPLICAS: usize = 3;

const fn case(name: &'static str, act: fn(&Bench) -> Result<Check>) -> Case {
    Case {
        name,
        replicas: REPLICAS,
        excuse: None,
        act,
    }
}

pub const ALL: &[Case] = &[
    case("rolling update", update),
    case("update to a version that is never healthy", |bench| {
        update_to("--listen=0.0.0.0:7777", bench)
    }),
    case(
        "update to a version that turns ill within `monitor`",
        |bench| update_to("--ill-after=3s", bench),
    ),
    case("a replica made ill", |bench| {
        testability("/testability/healthy/false", bench)
    }),
    case("`docker kill`", |bench| kill("KILL", bench)),
    case("SIGSTOP", |bench| kill("STOP", bench)),
    case("a replica's database hangs", |bench| {
        testability("/testability/hanging/true", bench)
    }),
    case("scaled 3-6-2-3", scale),
    case("HAProxy reloaded", reload),
    Case {
        excuse: Some("nobody is there to answer"),
        ..case("no B at all for 15 s", outage)
    },
    Case {
        replicas: 1,
        excuse: Some("the only replica is gone until Docker has replaced it"),
        ..case("`docker kill` of a single replica", |bench| {
            kill("KILL", bench)
        })
    },
    Case {
        excuse: Some("a host port cannot have two owners, so Docker stops the old task first"),
        ..case("HAProxy's own task replaced", replace_haproxy)
    },
];

/// To the other one of two images that differ in their version.
fn update(Bench { stack, .. }: &Bench) -> Result<Check> {
    let image = stack.image(B)?;
    let (name, version) = image.rsplit_once(':').unwrap_or((&image, ""));
    let other = format!("{name}:{}", if version == "1" { "2" } else { "1" });
    stack.update(B, &["--image", &other])?;
    Ok(Box::new(|stack| ended(stack, "completed")))
}

fn update_to(argument: &str, Bench { stack, .. }: &Bench) -> Result<Check> {
    stack.update(B, &["--args", argument])?;
    Ok(Box::new(|stack| ended(stack, "rollback_completed")))
}

fn ended(stack: &Stack, expected: &str) -> Result<()> {
    match stack.update_state(B)? {
        state if state == expected => Ok(()),
        state => Err(format!("the update should be {expected}, and is {state:?}")),
    }
}

/// The checker is the one program in the image that can send a request. Whether it likes the answer is of no interest.
fn testability(path: &str, Bench { stack, .. }: &Bench) -> Result<Check> {
    let victim = stack.container(B)?;
    docker(&[
        "exec",
        &victim,
        "/healthchecker",
        &format!("http://localhost:6767{path}"),
    ])?;
    Ok(replaced(victim))
}

fn kill(signal: &str, Bench { stack, .. }: &Bench) -> Result<Check> {
    let victim = stack.container(B)?;
    docker(&["kill", "--signal", signal, &victim])?;
    Ok(replaced(victim))
}

fn replaced(victim: String) -> Check {
    Box::new(move |stack| match stack.containers(B)?.contains(&victim) {
        true => Err(format!("{victim} was not replaced")),
        false => Ok(()),
    })
}

fn scale(bench: &Bench) -> Result<Check> {
    for replicas in [6, 2, REPLICAS] {
        bench.scale(replicas)?;
    }
    Ok(Box::new(|_| Ok(())))
}

/// The master starts new workers, which take over the sockets.
fn reload(Bench { stack, .. }: &Bench) -> Result<Check> {
    let haproxy = stack.container(HAPROXY)?;
    docker(&["kill", "--signal", "USR2", &haproxy])?;
    Ok(Box::new(move |stack| {
        match stack.container(HAPROXY)? == haproxy {
            true => Ok(()),
            false => Err("HAProxy's task was replaced by its reload".into()),
        }
    }))
}

fn replace_haproxy(Bench { stack, .. }: &Bench) -> Result<Check> {
    let haproxy = stack.container(HAPROXY)?;
    docker(&["kill", &haproxy])?;
    Ok(Box::new(|_| Ok(())))
}

/// A restart would not bring B back, so A must stay, and say what it lacks.
fn outage(Bench { stack, .. }: &Bench) -> Result<Check> {
    let before = stack.containers(A)?;
    stack.scale(B, 0)?;
    thread::sleep(Duration::from_secs(15));
    for gateway in &before {
        says_why(gateway)?;
    }
    stack.scale(B, REPLICAS)?;
    Ok(Box::new(move |stack| {
        match stack.containers(A)? == before {
            true => Ok(()),
            false => Err("B's outage made Docker replace a task of A".into()),
        }
    }))
}

/// It names B, by the address at which it asks for it, and what it was told there.
fn says_why(gateway: &str) -> Result<()> {
    const WHY: &str = "; http://haproxy:6767/health DOWN: status 503";
    let health = "http://localhost:8080/health";
    match docker(&["exec", gateway, "/healthchecker", health]) {
        Err(line) if line.contains(WHY) => Ok(()),
        Err(line) | Ok(line) => Err(format!("A does not say why it is ill: {line}")),
    }
}
