//! What the engine says of one container, and which ones a label means.

/// The health of a container, in the engine's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It has no HEALTHCHECK.
    None,
    /// No verdict since its start.
    Starting,
    Healthy,
    Unhealthy,
}

/// One container, as `docker inspect` shows it.
#[derive(Debug, Clone)]
pub struct Container {
    pub id: String,
    pub name: String,
    /// The service of Compose or Swarm that it belongs to.
    pub service: Option<String>,
    /// Its Compose project, within which a service's name is unique.
    pub project: Option<String>,
    /// Its Swarm stack, which stands before the service's name: `shop` in `shop_b`.
    pub stack: Option<String>,
    /// Swarm started it, and replaces it when it ends.
    pub is_task: bool,
    /// The names in its label `heal`.
    pub heal: Vec<String>,
    pub stop_signal: String,
    /// It runs, and is not paused.
    pub runs: bool,
    /// When it was started, in the engine's spelling: another time is another life.
    pub started: String,
    pub health: Health,
    /// What its last check said.
    pub line: String,
}

impl Container {
    /// What stays the same when the container is replaced: its name. The name of a task is SERVICE.SLOT.ID, and only its
    /// ID is new.
    pub fn role(&self) -> &str {
        match self.name.rsplit_once('.') {
            Some((role, _)) if self.is_task => role,
            _ => &self.name,
        }
    }

    /// Whether `name` in the label of `by` means this container: by its own name, or by that of its service. Those who
    /// have a project or a stack mean a service of their own one.
    pub fn is_named(&self, name: &str, by: &Container) -> bool {
        let service = self.service.as_deref();
        let in_stack = match &by.stack {
            Some(stack) => service.is_some_and(|service| {
                let rest = service.strip_prefix(stack.as_str());
                rest.and_then(|rest| rest.strip_prefix('_')) == Some(name)
            }),
            None => false,
        };
        let same_project = by.project.is_none() || by.project == self.project;
        self.name == name || in_stack || (service == Some(name) && same_project)
    }

    /// Whether a signal that the engine sent is meant to end it. Others are for reloading, dumping or stopping for a while;
    /// a process that dies of one is reported as dead all the same.
    pub fn ends_by(&self, signal: &str) -> bool {
        const NUMBERS: [(&str, &str); 10] = [
            ("HUP", "1"),
            ("INT", "2"),
            ("QUIT", "3"),
            ("KILL", "9"),
            ("USR1", "10"),
            ("USR2", "12"),
            ("TERM", "15"),
            ("WINCH", "28"),
            ("PWR", "30"),
            ("RTMIN+3", "37"),
        ];
        let name = self.stop_signal.to_uppercase();
        let name = match name.trim_start_matches("SIG") {
            "" => "TERM",
            name => name,
        };
        let known = NUMBERS.iter().find(|(known, _)| *known == name);
        signal == "9" || signal == known.map_or(name, |(_, number)| number)
    }
}

/// The names in the value of a label: `b`, or several joined by commas.
pub fn names(label: &str) -> Vec<String> {
    let names = label.split(',').map(str::trim);
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A container that runs, has no check, and ends by SIGTERM.
    pub(crate) fn container(name: &str) -> Container {
        Container {
            id: format!("id-{name}"),
            name: name.into(),
            service: None,
            project: None,
            stack: None,
            is_task: false,
            heal: Vec::new(),
            stop_signal: String::new(),
            runs: true,
            started: "1".into(),
            health: Health::None,
            line: String::new(),
        }
    }

    #[test]
    fn labels_name_containers_and_services() {
        let plain = container("a");
        let b = container("b");
        assert!(b.is_named("b", &plain) && !b.is_named("a", &plain));

        let composed = |name: &str, project: &str| Container {
            service: Some("b".into()),
            project: Some(project.into()),
            ..container(name)
        };
        let ours = composed("shop-b-1", "shop");
        assert!(ours.is_named("b", &plain) && ours.is_named("shop-b-1", &plain));
        assert!(ours.is_named("b", &composed("shop-a-1", "shop")));
        assert!(!ours.is_named("b", &composed("other-a-1", "other")));

        let task = |service: &str| Container {
            service: Some(service.into()),
            stack: Some("shop".into()),
            is_task: true,
            ..container(&format!("{service}.1.k3j9"))
        };
        let b = task("shop_b");
        assert!(b.is_named("b", &task("shop_a")) && b.is_named("shop_b", &plain));
        assert!(!b.is_named("b", &plain) && !b.is_named("_b", &task("shop_a")));
        assert_eq!((b.role(), plain.role()), ("shop_b.1", "a"));
        assert_eq!(container("a.1.x").role(), "a.1.x");
    }

    #[test]
    fn labels_are_lists() {
        assert_eq!(names("b"), ["b"]);
        assert_eq!(names(" b, c,,"), ["b", "c"]);
        assert!(names("").is_empty());
    }

    #[test]
    fn signals_that_end() {
        let ends = |stop_signal: &str, signal: &str| {
            let stop_signal = stop_signal.into();
            let container = Container {
                stop_signal,
                ..container("a")
            };
            container.ends_by(signal)
        };
        assert!(ends("", "15") && ends("SIGTERM", "15") && ends("15", "15"));
        assert!(ends("SIGQUIT", "3") && ends("usr1", "10") && ends("", "9"));
        // A reload, a thread dump and a freeze are no reasons to look away.
        assert!(!ends("", "1") && !ends("", "3") && !ends("", "19"));
        assert!(!ends("SIGQUIT", "15"));
    }
}
