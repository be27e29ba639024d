//! What is known, and what to do about it: events in, actions out. Nothing here asks the engine, a clock or the network.

mod heal;

use crate::container::{Container, Health};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(60 * 60);
/// So many changes of a container are told within this time; further ones are counted, and told as one when it is over.
const MOST_TOLD: usize = 12;
const TELLING: Duration = Duration::from_secs(10 * 60);
/// A container that got its stop signal, and runs on for longer than this, has ignored it.
const DRAINING: Duration = Duration::from_secs(10 * 60);

/// What the user chose.
#[derive(Debug, Clone)]
pub struct Policy {
    /// A container is unhealthy for this long before anything is restarted.
    pub after: Duration,
    /// The time between the end of a restart and the next one of the same container. Doubles while restarts do not help.
    pub pause: Duration,
    /// Restarts of one container within an hour.
    pub most: usize,
    /// The container that this program runs in, which it never restarts.
    pub own: Option<String>,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// All containers there are, as they are now.
    Snapshot(Vec<Container>),
    /// This one was started.
    Started(Container),
    /// Something else of it has changed, such as its name. What this says of its health is ignored: an event will say that.
    Changed(Container),
    Health {
        id: String,
        healthy: bool,
        line: String,
    },
    /// The engine sent it a signal, by number.
    Kill {
        id: String,
        signal: String,
    },
    Died {
        id: String,
    },
    Removed {
        id: String,
    },
    /// A restart that was asked for is over, whether it worked or not.
    Restarted {
        role: String,
    },
    /// Time has passed.
    Tick,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Tell(Message),
    Restart(Restart),
    /// To be logged: why nothing is done.
    Spare(String),
}

/// A change of a container's health, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub id: String,
    pub name: String,
    pub service: Option<String>,
    pub change: Change,
    /// What the check said.
    pub line: String,
    /// Changes before this one that were not told.
    pub untold: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// With whom will be restarted if this lasts.
    Ill {
        heal: Vec<String>,
    },
    Well {
        was_ill_for: Duration,
    },
}

/// A restart that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Restart {
    pub id: String,
    pub name: String,
    /// To be handed back with `Event::Restarted`.
    pub role: String,
    pub is_task: bool,
    /// The name of the container whose label asks for it.
    pub by: String,
}

/// A container, from its start to its removal.
#[derive(Debug)]
struct Known {
    container: Container,
    /// The health that was judged last, in this life.
    judged: Health,
    /// Since when it is unhealthy.
    ill: Option<Instant>,
    /// When it got the signal to stop.
    leaving: Option<Instant>,
    /// It was logged why nothing is done for it.
    spared: bool,
}

/// What outlives a container, because the next one of its name does the same work.
#[derive(Debug, Default)]
struct History {
    /// Since when people believe it to be unhealthy.
    ill: Option<Instant>,
    told: VecDeque<Instant>,
    /// The last change that was not told, with how many came before.
    held: Option<Message>,
    restarts: VecDeque<Instant>,
    /// Restarts since what asked for them was last healthy.
    in_vain: u32,
    is_restarting: bool,
    /// When the last restart ended.
    restarted: Option<Instant>,
}

pub struct State {
    policy: Policy,
    known: BTreeMap<String, Known>,
    histories: BTreeMap<String, History>,
}

impl State {
    pub fn new(policy: Policy) -> Self {
        State {
            policy,
            known: BTreeMap::new(),
            histories: BTreeMap::new(),
        }
    }

    /// Whether time alone may bring something to do, so that ticks are wanted.
    pub fn is_waiting(&self) -> bool {
        let waits = |known: &Known| known.leaving.is_some() || known.wants_healing();
        self.known.values().any(waits) || self.histories.values().any(|it| it.held.is_some())
    }

    pub fn on(&mut self, event: Event, now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Snapshot(all) => {
                self.known.retain(|id, _| all.iter().any(|it| it.id == *id));
                for container in all {
                    self.compare(container);
                }
            }
            Event::Started(container) => self.learn(container),
            Event::Changed(container) => match self.known.get_mut(&container.id) {
                Some(known) => {
                    let (health, line) = (known.container.health, known.container.line.clone());
                    known.container = Container {
                        health,
                        line,
                        ..container
                    };
                }
                None => self.learn(container),
            },
            Event::Health { id, healthy, line } => {
                if let Some(known) = self.known.get_mut(&id) {
                    known.container.line = line;
                    known.container.health = match healthy {
                        true => Health::Healthy,
                        false => Health::Unhealthy,
                    };
                }
            }
            Event::Kill { id, signal } => {
                if let Some(known) = self.known.get_mut(&id)
                    && known.container.ends_by(&signal)
                {
                    known.leaving.get_or_insert(now);
                }
            }
            Event::Died { id } => {
                if let Some(known) = self.known.get_mut(&id) {
                    known.container.runs = false;
                    known.leaving = None;
                }
            }
            Event::Removed { id } => drop(self.known.remove(&id)),
            Event::Restarted { role } => {
                let history = self.histories.entry(role).or_default();
                history.is_restarting = false;
                history.restarted = Some(now);
            }
            Event::Tick => {}
        }
        self.forget(now);
        self.judge(now, &mut actions);
        self.tell_what_was_held(now, &mut actions);
        self.heal(now, &mut actions);
        actions
    }

    /// A container as it is after its start.
    fn learn(&mut self, container: Container) {
        let known = Known {
            container,
            judged: Health::Starting,
            ill: None,
            leaving: None,
            spared: false,
        };
        self.known.insert(known.container.id.clone(), known);
    }

    /// What is known with what is: changes that no event has told.
    fn compare(&mut self, container: Container) {
        match self.known.get_mut(&container.id) {
            Some(known) if known.container.started == container.started => {
                // An engine that restarts without its containers has no verdict at first. The old one holds until then.
                let health = match container.health {
                    Health::Starting => known.container.health,
                    health => health,
                };
                known.container = Container {
                    health,
                    ..container
                };
            }
            _ => self.learn(container),
        }
    }

    /// Forgets what is over.
    fn forget(&mut self, now: Instant) {
        for known in self.known.values_mut() {
            known.leaving = known.leaving.filter(|&since| now < since + DRAINING);
        }
        let roles: Vec<&str> = (self.known.values())
            .map(|known| known.container.role())
            .collect();
        self.histories.retain(|role, history| {
            drop_older(&mut history.told, now, TELLING);
            drop_older(&mut history.restarts, now, HOUR);
            history.restarted = history.restarted.filter(|&end| now < end + HOUR);
            let is_idle = history.told.is_empty()
                && history.held.is_none()
                && history.restarts.is_empty()
                && history.restarted.is_none()
                && !history.is_restarting;
            // A replacement that has not come within the hour will not come.
            let was_ill = history.ill.is_some_and(|since| now < since + HOUR);
            roles.contains(&role.as_str()) || was_ill || !is_idle
        });
    }

    /// Who has fallen ill or recovered.
    fn judge(&mut self, now: Instant, actions: &mut Vec<Action>) {
        let mut recovered = Vec::new();
        for known in self.known.values_mut() {
            let health = known.container.health;
            if !known.counts() || health == known.judged {
                continue;
            }
            known.judged = health;
            known.ill = (health == Health::Unhealthy).then_some(now);
            let role = known.container.role().to_owned();
            let history = self.histories.entry(role).or_default();
            let change = match health {
                Health::Unhealthy => {
                    known.spared = false;
                    history.ill.get_or_insert(now);
                    let heal = known.container.heal.clone();
                    Change::Ill { heal }
                }
                Health::Healthy => {
                    let Some(since) = history.ill.take() else {
                        continue;
                    };
                    recovered.push(known.container.clone());
                    let was_ill_for = now - since;
                    Change::Well { was_ill_for }
                }
                Health::None | Health::Starting => continue,
            };
            let mut message = Message {
                id: known.container.id.clone(),
                name: known.container.name.clone(),
                service: known.container.service.clone(),
                change,
                line: known.container.line.clone(),
                untold: 0,
            };
            if history.held.is_none() && history.told.len() < MOST_TOLD {
                history.told.push_back(now);
                actions.push(Action::Tell(message));
            } else {
                let before = history.held.take();
                message.untold = before.map_or(0, |before| before.untold + 1);
                history.held = Some(message);
            }
        }
        for by in recovered {
            for role in self.roles_to_heal(&by) {
                self.histories.entry(role).or_default().in_vain = 0;
            }
        }
    }

    fn tell_what_was_held(&mut self, now: Instant, actions: &mut Vec<Action>) {
        for history in self.histories.values_mut() {
            // All at once, so that a container that goes on like this is told of once in this time.
            if history.told.is_empty()
                && let Some(message) = history.held.take()
            {
                history.told.extend([now; MOST_TOLD]);
                actions.push(Action::Tell(message));
            }
        }
    }
}

impl Known {
    /// Whether its health means anything: while it drains or does not run, it does not.
    fn counts(&self) -> bool {
        self.container.runs && self.leaving.is_none()
    }

    fn wants_healing(&self) -> bool {
        self.counts() && self.ill.is_some() && !self.container.heal.is_empty()
    }
}

fn drop_older(times: &mut VecDeque<Instant>, now: Instant, age: Duration) {
    while times.front().is_some_and(|&time| now >= time + age) {
        times.pop_front();
    }
}

#[cfg(test)]
mod tests;
