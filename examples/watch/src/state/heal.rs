//! Who is restarted, and when.

use super::{Action, HOUR, History, Known, Restart, State};
use crate::container::{Container, Health};
use std::time::Instant;

impl State {
    /// The roles of the containers that the label of `by` means.
    pub(super) fn roles_to_heal(&self, by: &Container) -> Vec<String> {
        let all = self.known.values().map(|known| &known.container);
        all.filter(|container| by.heal.iter().any(|name| container.is_named(name, by)))
            .map(|container| container.role().to_owned())
            .collect()
    }

    /// Restarts what the labels of the unhealthy name. Of one name, the next follows once the one before is up again.
    pub(super) fn heal(&mut self, now: Instant, actions: &mut Vec<Action>) {
        let due = |known: &&Known| {
            // Swarm replaces an unhealthy task after two seconds: it is the work of the slot that stays undone.
            let history = self.histories.get(known.container.role());
            let since = match known.container.is_task {
                true => history.and_then(|history| history.ill),
                false => known.ill,
            };
            known.wants_healing() && since.is_some_and(|at| now >= at + self.policy.after)
        };
        let ill: Vec<Container> = (self.known.values().filter(due))
            .map(|known| known.container.clone())
            .collect();
        for by in &ill {
            for name in &by.heal {
                let done = self.heal_one(name, by, now);
                let Some(known) = self.known.get_mut(&by.id) else {
                    continue;
                };
                match done {
                    Ok(restart) => actions.extend(restart.map(Action::Restart)),
                    // Once in an illness.
                    Err(why) if !known.spared => {
                        known.spared = true;
                        let line = format!("{}: heal={name}: {why}", by.name);
                        actions.push(Action::Spare(line));
                    }
                    Err(_) => {}
                }
            }
        }
    }

    /// The next container of this name to restart, none for now, or why none will be.
    fn heal_one(
        &mut self,
        name: &str,
        by: &Container,
        now: Instant,
    ) -> Result<Option<Restart>, String> {
        let is_meant = |known: &&Known| known.container.is_named(name, by);
        let meant: Vec<&Known> = self.known.values().filter(is_meant).collect();
        let is_up = |role: &str| {
            let mut all = meant.iter().filter(|known| known.container.role() == role);
            all.any(|known| known.counts() && known.container.health != Health::Starting)
        };
        let is_coming_back = |known: &&Known| {
            let role = known.container.role();
            let history = self.histories.get(role);
            history.is_some_and(|history| {
                history.is_restarting || (self.pauses(history, now) && !is_up(role))
            })
        };
        if meant.iter().any(is_coming_back) {
            return Ok(None);
        }
        let mut why = Err("no such container runs on this engine".into());
        for known in meant {
            let target = &known.container;
            if self.policy.own.as_ref() == Some(&target.id) {
                why = Err("it is the container of this program, which is left alone".into());
                continue;
            }
            let role = target.role().to_owned();
            let pauses = (self.histories.get(&role)).is_some_and(|it| self.pauses(it, now));
            let history = self.histories.entry(role.clone()).or_default();
            // Somebody stopped it, or it has ended and no restart policy has helped.
            if !target.runs {
                continue;
            }
            if history.restarts.len() >= self.policy.most {
                why = Err(format!(
                    "{} was restarted {} times within the hour, and is left alone",
                    target.name, self.policy.most
                ));
                continue;
            }
            // Somebody is stopping it, or it is on its way to health.
            if pauses || known.leaving.is_some() || target.health == Health::Starting {
                why = Ok(None);
                continue;
            }
            history.restarts.push_back(now);
            history.in_vain += 1;
            history.is_restarting = true;
            return Ok(Some(Restart {
                id: target.id.clone(),
                name: target.name.clone(),
                role,
                is_task: target.is_task,
                by: by.name.clone(),
            }));
        }
        why
    }

    /// Whether it is too early for the next restart.
    fn pauses(&self, history: &History, now: Instant) -> bool {
        let doublings = history.in_vain.saturating_sub(1).min(16);
        let pause = self.policy.pause.saturating_mul(1 << doublings).min(HOUR);
        history.restarted.is_some_and(|end| now < end + pause)
    }
}
