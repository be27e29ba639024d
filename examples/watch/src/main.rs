//! Follows the engine's health events, tells people of each change, and restarts what the label of an unhealthy container
//! names. README.md says how it is used; `state.rs` decides.

mod container;
mod engine;
mod log;
mod message;
mod options;
mod state;
mod webhook;

use bollard::errors::Error;
use engine::{Engine, Happened};
use futures_util::{StreamExt, TryStreamExt};
use log::{complain, say};
use options::Options;
use state::{Action, Event, Policy, Restart, State};
use std::convert::Infallible;
use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use webhook::Webhook;

/// How often the clock is looked at, while a restart is waiting for its time.
const TICK: Duration = Duration::from_millis(500);
/// The pause before the lost engine is tried again, and what it grows to.
const RETRY: Duration = Duration::from_millis(200);
const LONGEST_RETRY: Duration = Duration::from_secs(5);
/// What SIGTERM leaves to messages, and to restarts: a container that was stopped and not yet started would stay so.
const LAST_MESSAGES: Duration = Duration::from_secs(1);
const LAST_RESTARTS: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    let result = match options::parse(arguments, |name| std::env::var(name).ok()) {
        Ok(Some(options)) => run(options).await,
        Ok(None) => {
            say(options::USAGE.trim_end());
            Ok(())
        }
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Watches until a signal ends it.
async fn run(options: Options) -> Result<(), String> {
    let listen = |kind| signal(kind).map_err(|error| format!("signals: {error}"));
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut watch = Watch::start(options).await?;
    tokio::select! {
        never = watch.watch() => match never {},
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    watch.end().await;
    Ok(())
}

struct Watch {
    engine: Engine,
    node: String,
    after: Duration,
    state: State,
    webhook: Option<Webhook>,
    /// What each restart was for, and how it went.
    restarts: JoinSet<(Restart, Result<(), Error>)>,
    /// The time of the last event that was heard.
    heard: Option<i64>,
}

impl Watch {
    /// Fails where the engine cannot be reached, because that is rather a wrong option than a passing trouble.
    async fn start(options: Options) -> Result<Self, String> {
        let cannot = |error| format!("{}: {}", options.socket.display(), causes(&error));
        let engine = Engine::at(&options.socket).map_err(cannot)?;
        let node = engine.node().await.map_err(cannot)?;
        let to = options.webhook.as_ref().map(|url| url.host());
        let to = to.map_or("nowhere, for there is no webhook".into(), |host| {
            format!("to {host}")
        });
        say(&format!("watching {node}, posting {to}"));
        let policy = Policy {
            after: options.after,
            pause: options.pause,
            most: options.most,
            own: engine::own_id(),
        };
        Ok(Watch {
            engine,
            node,
            after: options.after,
            state: State::new(policy),
            webhook: options.webhook.map(Webhook::start),
            restarts: JoinSet::new(),
            heard: None,
        })
    }

    /// Follows the engine, and finds it again whenever it is lost.
    async fn watch(&mut self) -> Infallible {
        let mut pause = RETRY;
        loop {
            let before = self.heard;
            let Err(error) = self.follow().await;
            if self.heard != before {
                pause = RETRY;
            }
            // Once for each loss: the next line is that the engine is found again.
            if pause == RETRY {
                complain(&format!("the engine is lost: {}", causes(&error)));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_RETRY);
        }
    }

    /// Follows the events until the connection is lost.
    async fn follow(&mut self) -> Result<Infallible, Error> {
        let now = engine::now();
        // First what happened in the meantime, as far as the engine remembers it, in its order. Then how things are, in case
        // it does not. Events from now on wait in the engine until that is done.
        if let Some(heard) = self.heard {
            let past = self.engine.events(heard + 1, Some(now));
            let past: Vec<Happened> = past.try_collect().await?;
            for event in past {
                self.hear(event).await?;
            }
        }
        let containers = self.engine.containers().await?;
        say(&format!("{} containers are here", containers.len()));
        self.on(Event::Snapshot(containers));
        self.heard = self.heard.max(Some(now));

        let events = self.engine.events(now, None);
        let mut events = std::pin::pin!(events);
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(event) => self.hear(event?).await?,
                    None => return Err(io::Error::other("it closed the connection").into()),
                },
                Some(done) = self.restarts.join_next() => {
                    let (restart, result) = done.expect("a restart does not panic");
                    self.restarted(restart, result);
                }
                () = sleep(TICK), if self.state.is_waiting() => self.on(Event::Tick),
            }
        }
    }

    async fn hear(&mut self, happened: Happened) -> Result<(), Error> {
        let Happened {
            time,
            action,
            id,
            signal,
        } = happened;
        match action.as_str() {
            "start" => {
                if let Some(container) = self.engine.container(&id, None).await? {
                    self.on(Event::Started(container));
                }
            }
            "kill" => self.on(Event::Kill { id, signal }),
            "die" => self.on(Event::Died { id }),
            "destroy" => self.on(Event::Removed { id }),
            other => {
                let healthy = match other {
                    "health_status: healthy" => Some(true),
                    "health_status: unhealthy" => Some(false),
                    _ => None,
                };
                let container = self.engine.container(&id, healthy).await?;
                let line = container.as_ref().map(|it| it.line.clone());
                if let Some(container) = container {
                    self.on(Event::Changed(container));
                }
                if let Some(healthy) = healthy {
                    let line = line.unwrap_or_default();
                    self.on(Event::Health { id, healthy, line });
                }
            }
        }
        self.heard = self.heard.max(Some(time));
        Ok(())
    }

    fn on(&mut self, event: Event) {
        for action in self.state.on(event, Instant::now()) {
            match action {
                Action::Tell(message) => {
                    say(&message::log_line(&message, &self.node, self.after));
                    if let Some(webhook) = &self.webhook {
                        webhook.post(message::body(&message, &self.node, self.after));
                    }
                }
                Action::Restart(restart) => self.restart(restart),
                Action::Spare(line) => complain(&line),
            }
        }
    }

    fn restart(&mut self, restart: Restart) {
        let Restart { name, by, .. } = &restart;
        say(&format!("{name}: restarting, because {by} is unhealthy"));
        let engine = self.engine.clone();
        self.restarts.spawn(async move {
            let result = match restart.is_task {
                // Swarm replaces a task that has ended. One that was restarted would run on beside its replacement.
                true => engine.stop(&restart.id).await,
                false => engine.restart(&restart.id).await,
            };
            (restart, result)
        });
    }

    fn restarted(&mut self, restart: Restart, result: Result<(), Error>) {
        let Restart { name, role, .. } = restart;
        match result {
            Ok(()) if restart.is_task => say(&format!("{name}: stopped, for Swarm to replace it")),
            Ok(()) => say(&format!("{name}: restarted")),
            Err(error) => complain(&format!("{name}: not restarted: {}", causes(&error))),
        }
        self.on(Event::Restarted { role });
    }

    async fn end(mut self) {
        say("ending");
        let restarts = async {
            while let Some(Ok((restart, result))) = self.restarts.join_next().await {
                let failed = result.err().map(|error| causes(&error));
                say(&format!(
                    "{}: {}",
                    restart.name,
                    failed.as_deref().unwrap_or("restarted")
                ));
            }
        };
        if timeout(LAST_RESTARTS, restarts).await.is_err() {
            complain("a restart is not over yet, and left to the engine");
        }
        if let Some(webhook) = self.webhook {
            webhook.finish(LAST_MESSAGES);
        }
    }
}

/// An error with what it was caused by.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = text + ": " + &next;
        }
        cause = error.source();
    }
    text
}
