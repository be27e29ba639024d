//! The engine's API, as far as it is needed: events, what containers are, restarts. The only file that knows bollard.

use crate::container::{self, Container, Health};
use crate::log::complain;
use bollard::errors::Error;
use bollard::models::{ContainerInspectResponse, EventMessage, HealthStatusEnum};
use bollard::query_parameters::{
    EventsOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder,
    RestartContainerOptions, StopContainerOptions,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_util::Stream;
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// For the engine to begin its answer.
const TIMEOUT: u64 = 30;
/// For a restart: as long as the longest grace period.
const RESTART_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// The events that are asked for. Exact, because an engine has three of others for each run of a health check.
const EVENTS: [&str; 9] = [
    "health_status: healthy",
    "health_status: unhealthy",
    "start",
    "kill",
    "die",
    "destroy",
    "rename",
    "pause",
    "unpause",
];

#[derive(Clone)]
pub struct Engine(Docker);

/// Something that happened to a container.
pub struct Happened {
    /// In nanoseconds since 1970, by the engine's clock.
    pub time: i64,
    /// One of `EVENTS`.
    pub action: String,
    pub id: String,
    /// With `kill`.
    pub signal: String,
}

impl Engine {
    /// Nothing is sent yet.
    pub fn at(socket: &Path) -> Result<Self, Error> {
        let path = socket.to_string_lossy();
        Docker::connect_with_unix(&path, TIMEOUT, API_DEFAULT_VERSION).map(Engine)
    }

    /// What the engine calls its machine.
    pub async fn node(&self) -> Result<String, Error> {
        Ok(self.0.info().await?.name.unwrap_or_default())
    }

    /// What happened since a time that `now` or an event gave, and what happens from now on, or only until then. The engine
    /// remembers its last 256 events, and none from before its own start.
    pub fn events(
        &self,
        since: i64,
        until: Option<i64>,
    ) -> impl Stream<Item = Result<Happened, Error>> + use<> {
        use futures_util::StreamExt;
        let filters = HashMap::from([("type", vec!["container"]), ("event", EVENTS.to_vec())]);
        let mut options = EventsOptionsBuilder::new()
            .filters(&filters)
            .since(&timestamp(since));
        if let Some(until) = until {
            options = options.until(&timestamp(until));
        }
        self.0
            .events(Some(options.build()))
            .map(|event| event.map(Happened::from))
    }

    /// All containers, also those that do not run.
    pub async fn containers(&self) -> Result<Vec<Container>, Error> {
        let all = ListContainersOptionsBuilder::new().all(true).build();
        let mut containers = Vec::new();
        for listed in self.0.list_containers(Some(all)).await? {
            containers.extend(self.container(&listed.id.unwrap_or_default(), None).await?);
        }
        Ok(containers)
    }

    /// One container, with the line of its last check that was healthy or unhealthy, as wanted. None if it is gone, or the
    /// engine cannot say: one broken container is no reason to lose sight of the others.
    pub async fn container(
        &self,
        id: &str,
        healthy: Option<bool>,
    ) -> Result<Option<Container>, Error> {
        let inspected = self
            .0
            .inspect_container(id, None::<InspectContainerOptions>);
        match inspected.await {
            Ok(inspected) => Ok(Some(container(inspected, healthy))),
            Err(Error::DockerResponseServerError {
                status_code: 404, ..
            }) => Ok(None),
            Err(
                error @ (Error::DockerResponseServerError { .. }
                | Error::JsonDataError { .. }
                | Error::RequestTimeoutError),
            ) => {
                complain(&format!("container {id}: cannot be inspected: {error}"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Restarts a container, and waits until that is done.
    pub async fn restart(self, id: &str) -> Result<(), Error> {
        let docker = self.0.with_timeout(RESTART_TIMEOUT);
        docker
            .restart_container(id, None::<RestartContainerOptions>)
            .await
    }

    /// Stops a container, and waits until that is done.
    pub async fn stop(self, id: &str) -> Result<(), Error> {
        let docker = self.0.with_timeout(RESTART_TIMEOUT);
        docker
            .stop_container(id, None::<StopContainerOptions>)
            .await
    }
}

/// The time, as events have it.
pub fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since_1970.map_or(0, |time| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX))
}

fn timestamp(nanos: i64) -> String {
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

impl From<EventMessage> for Happened {
    fn from(event: EventMessage) -> Self {
        let actor = event.actor.unwrap_or_default();
        let signal = actor.attributes.unwrap_or_default().remove("signal");
        Happened {
            time: event.time_nano.unwrap_or_default(),
            action: event.action.unwrap_or_default(),
            id: actor.id.unwrap_or_default(),
            signal: signal.unwrap_or_default(),
        }
    }
}

fn container(inspected: ContainerInspectResponse, healthy: Option<bool>) -> Container {
    let config = inspected.config.unwrap_or_default();
    let state = inspected.state.unwrap_or_default();
    let labels = config.labels.unwrap_or_default();
    let label = |name: &str| labels.get(name).cloned();
    let checked = state.health.unwrap_or_default();
    let (health, healthy) = match checked.status {
        Some(HealthStatusEnum::STARTING) => (Health::Starting, healthy),
        Some(HealthStatusEnum::HEALTHY) => (Health::Healthy, healthy.or(Some(true))),
        Some(HealthStatusEnum::UNHEALTHY) => (Health::Unhealthy, healthy.or(Some(false))),
        _ => (Health::None, healthy),
    };
    // The newest is the last, and may be of a check that came after the event.
    let log = checked.log.unwrap_or_default();
    let mut newest_first = log.into_iter().rev();
    let check =
        newest_first.find(|check| healthy.is_none_or(|it| it == (check.exit_code == Some(0))));
    Container {
        id: inspected.id.unwrap_or_default(),
        name: inspected
            .name
            .unwrap_or_default()
            .trim_start_matches('/')
            .to_owned(),
        service: label("com.docker.swarm.service.name")
            .or_else(|| label("com.docker.compose.service")),
        project: label("com.docker.compose.project"),
        stack: label("com.docker.stack.namespace"),
        is_task: labels.contains_key("com.docker.swarm.task.id"),
        heal: label("heal").map_or(Vec::new(), |names| container::names(&names)),
        stop_signal: config.stop_signal.unwrap_or_default(),
        runs: state.running == Some(true)
            && state.paused != Some(true)
            && state.restarting != Some(true),
        started: state.started_at.unwrap_or_default(),
        health,
        line: check.and_then(|check| check.output).unwrap_or_default(),
    }
}

/// The ID of the container that this program runs in, if it does. Docker mounts files over three of every container, from a
/// folder that has the ID as its name.
pub fn own_id() -> Option<String> {
    own_id_in(&std::fs::read_to_string("/proc/self/mountinfo").ok()?)
}

fn own_id_in(mounts: &str) -> Option<String> {
    let files = ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"];
    mounts.lines().find_map(|line| {
        // ID, parent, device, what is mounted, where.
        let mut fields = line.split(' ').skip(3);
        let (root, place) = (fields.next()?, fields.next()?);
        let (_, after) = root.split_once("containers/")?;
        let id = after.split('/').next()?;
        let is_id = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        (files.contains(&place) && is_id).then(|| id.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_id_is_in_the_mounts() {
        let id = "0123456789abcdef".repeat(4);
        let mounts = |place: &str| {
            format!(
                "22 1 0:21 / /proc rw - proc proc rw\n\
                33 22 8:1 /var/lib/docker/containers/{id}/hostname {place} rw - ext4 /dev/sda rw\n"
            )
        };
        assert_eq!(own_id_in(&mounts("/etc/hostname")), Some(id.clone()));
        // Who collects logs mounts folders of others.
        assert_eq!(own_id_in(&mounts("/logs")), None);
        assert_eq!(own_id_in("22 1 0:21 / / rw\n"), None);
    }

    #[test]
    fn times_are_exact() {
        assert_eq!(timestamp(1_700_000_000_000_000_007), "1700000000.000000007");
    }
}
