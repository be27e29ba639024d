use super::*;
use crate::container::tests::container;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);
const AFTER: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_secs(60);
const MOST: usize = 3;

/// A state with a clock of its own.
struct World {
    state: State,
    now: Instant,
    begun: Instant,
}

impl World {
    /// With these containers, which all run.
    fn of(containers: &[Container]) -> Self {
        let policy = Policy {
            after: AFTER,
            pause: PAUSE,
            most: MOST,
            own: Some("id-watch".into()),
        };
        let begun = Instant::now();
        let mut world = World {
            state: State::new(policy),
            now: begun,
            begun,
        };
        let at_first = world.on(Event::Snapshot(containers.to_vec()));
        assert_eq!(at_first, [""; 0]);
        world
    }

    fn on(&mut self, event: Event) -> Vec<String> {
        let actions = self.state.on(event, self.now);
        actions.iter().map(in_short).collect()
    }

    /// Lets time pass, a second at a time.
    fn pass(&mut self, time: Duration) -> Vec<String> {
        let end = self.now + time;
        let mut all = Vec::new();
        while self.now < end {
            self.now += SECOND;
            all.extend(self.on(Event::Tick));
        }
        all
    }

    fn health(&mut self, name: &str, healthy: bool) -> Vec<String> {
        self.on(Event::Health {
            id: format!("id-{name}"),
            healthy,
            line: "line".into(),
        })
    }

    fn kill(&mut self, name: &str, signal: &str) -> Vec<String> {
        let id = format!("id-{name}");
        let signal = signal.into();
        self.on(Event::Kill { id, signal })
    }

    fn die(&mut self, name: &str) -> Vec<String> {
        let id = format!("id-{name}");
        self.on(Event::Died { id })
    }

    fn restarted(&mut self, role: &str) -> Vec<String> {
        let role = role.into();
        self.on(Event::Restarted { role })
    }

    /// Since it began.
    fn seconds(&self) -> u64 {
        (self.now - self.begun).as_secs()
    }
}

fn in_short(action: &Action) -> String {
    match action {
        Action::Tell(message) => {
            let change = match &message.change {
                Change::Ill { .. } => "ill".to_owned(),
                Change::Well { was_ill_for } => format!("well after {}", was_ill_for.as_secs()),
            };
            let untold = match message.untold {
                0 => String::new(),
                untold => format!(", {untold} untold"),
            };
            format!("{} {change}{untold}", message.name)
        }
        Action::Restart(restart) => format!("restart {} for {}", restart.name, restart.by),
        Action::Spare(line) => line.clone(),
    }
}

fn checked(name: &str, heal: &str) -> Container {
    Container {
        health: Health::Starting,
        heal: crate::container::names(heal),
        ..container(name)
    }
}

fn ab() -> World {
    World::of(&[checked("a", "b"), container("b")])
}

#[test]
fn an_illness_is_told_once_and_healed_when_it_lasts() {
    let mut world = ab();
    // Well at first: nobody was told otherwise.
    assert_eq!(world.health("a", true), [""; 0]);
    assert!(!world.state.is_waiting());
    assert_eq!(world.health("a", false), ["a ill"]);
    // The same once more, as after a lost connection.
    assert_eq!(world.health("a", false), [""; 0]);
    assert!(world.state.is_waiting());
    assert_eq!(world.pass(AFTER - SECOND), [""; 0]);
    assert_eq!(world.pass(SECOND), ["restart b for a"]);
    // A restart that takes long is not followed by another.
    assert_eq!(world.pass(PAUSE * 3), [""; 0]);
    assert_eq!(world.restarted("b"), [""; 0]);
    assert_eq!(world.pass(5 * SECOND), [""; 0]);
    assert_eq!(world.health("a", true), ["a well after 195"]);
    assert_eq!(world.pass(2 * HOUR), [""; 0]);
}

#[test]
fn a_recovery_in_time_heals_by_itself() {
    let mut world = ab();
    assert_eq!(world.health("a", false), ["a ill"]);
    assert_eq!(world.pass(AFTER - SECOND), [""; 0]);
    assert_eq!(world.health("a", true), ["a well after 9"]);
    assert_eq!(world.pass(HOUR), [""; 0]);
}

#[test]
fn restarts_in_vain_come_later_and_later_and_end() {
    let mut world = ab();
    world.health("a", false);
    let mut times = Vec::new();
    let mut said = Vec::new();
    for _ in 0..2 * 3600 {
        for action in world.pass(SECOND) {
            assert_eq!(action, "restart b for a");
            times.push(world.seconds());
            said.extend(world.restarted("b"));
        }
    }
    // After one minute, two, and when the first is an hour ago; from then on, after eight and sixteen minutes.
    assert_eq!(times, [10, 70, 190, 3610, 4090, 5050]);
    let line = "a: heal=b: b was restarted 3 times within the hour, and is left alone";
    assert_eq!(said, [line]);
}

#[test]
fn what_drains_is_not_ill() {
    let mut world = World::of(&[checked("a", "a"), checked("b", "a")]);
    world.health("a", true);
    // A reload is no reason to look away.
    world.kill("a", "1");
    assert_eq!(world.health("a", false), ["a ill"]);
    // Its own restart by hand: no longer ours to heal, nor to tell.
    world.kill("a", "15");
    assert_eq!(world.pass(AFTER * 2), [""; 0]);
    assert_eq!(world.health("a", true), [""; 0]);
    assert_eq!(world.health("a", false), [""; 0]);
    world.die("a");
    assert_eq!(world.health("a", false), [""; 0]);
    world.on(Event::Started(checked("a", "a")));
    assert_eq!(world.health("a", true), ["a well after 20"]);

    // Nor is it restarted for another one while it drains, is dead, or has no verdict since its start.
    assert_eq!(world.health("b", false), ["b ill"]);
    world.kill("a", "15");
    assert_eq!(world.pass(AFTER * 2), [""; 0]);
    let line = "b: heal=a: no such container runs on this engine";
    assert_eq!(world.die("a"), [line]);
    assert_eq!(world.pass(AFTER * 2), [""; 0]);
    world.on(Event::Started(checked("a", "a")));
    assert_eq!(world.pass(AFTER * 2), [""; 0]);
    assert_eq!(world.health("a", true), ["restart a for b"]);
}

#[test]
fn a_stop_signal_that_is_ignored_is_forgotten() {
    let mut world = ab();
    world.kill("a", "15");
    assert_eq!(world.health("a", false), [""; 0]);
    assert_eq!(world.pass(DRAINING - SECOND), [""; 0]);
    assert_eq!(world.pass(SECOND), ["a ill"]);
    assert_eq!(world.pass(AFTER), ["restart b for a"]);
}

#[test]
fn a_removed_container_is_forgotten() {
    let mut world = ab();
    world.health("a", false);
    let id = "id-a".to_owned();
    assert_eq!(world.on(Event::Removed { id }), [""; 0]);
    assert!(!world.state.is_waiting());
    assert_eq!(world.pass(2 * HOUR), [""; 0]);
    assert_eq!(world.health("a", false), [""; 0]);
    assert!(!world.state.histories.contains_key("a"));
}

#[test]
fn a_replacement_ends_the_illness() {
    let task = |id: &str, slot: u8| Container {
        id: format!("id-{id}"),
        service: Some("a".into()),
        is_task: true,
        ..checked(&format!("a.{slot}.{id}"), "")
    };
    let mut world = World::of(&[task("x", 1), task("y", 2)]);
    world.health("x", true);
    world.health("y", true);
    // The next one starts before the old one is stopped.
    world.on(Event::Started(task("z", 1)));
    assert_eq!(world.health("z", false), ["a.1.z ill"]);
    assert_eq!(world.health("x", true), [""; 0]);
    world.die("z");
    let id = "id-z".to_owned();
    world.on(Event::Removed { id });
    world.pass(5 * SECOND);
    world.on(Event::Started(task("u", 1)));
    assert_eq!(world.health("u", true), ["a.1.u well after 5"]);
}

#[test]
fn a_task_that_swarm_replaces_is_ill_for_as_long_as_its_slot() {
    let task = |id: &str| Container {
        id: format!("id-{id}"),
        is_task: true,
        ..checked(&format!("a.1.{id}"), "b")
    };
    let mut world = World::of(&[task("x"), container("b")]);
    assert_eq!(world.health("x", false), ["a.1.x ill"]);
    world.pass(2 * SECOND);
    world.kill("x", "15");
    world.die("x");
    assert_eq!(world.pass(AFTER), [""; 0]);
    world.on(Event::Started(task("y")));
    assert_eq!(world.pass(AFTER), [""; 0]);
    assert_eq!(
        world.health("y", false),
        ["a.1.y ill", "restart b for a.1.y"]
    );
}

#[test]
fn who_is_ill_at_first_is_told() {
    let mut world = World::of(&[]);
    let ill = Container {
        health: Health::Unhealthy,
        ..checked("a", "b")
    };
    let all = vec![ill, container("b")];
    assert_eq!(world.on(Event::Snapshot(all)), ["a ill"]);
    assert_eq!(world.pass(AFTER), ["restart b for a"]);
}

#[test]
fn what_was_missed_is_told_and_nothing_twice() {
    let mut world = ab();
    let seen = |health, started: &str| {
        let a = Container {
            health,
            started: started.into(),
            ..checked("a", "b")
        };
        Event::Snapshot(vec![a, container("b")])
    };
    world.health("a", true);
    assert_eq!(world.on(seen(Health::Healthy, "1")), [""; 0]);
    // Missed: it fell ill.
    assert_eq!(world.on(seen(Health::Unhealthy, "1")), ["a ill"]);
    // The event comes late.
    assert_eq!(world.health("a", false), [""; 0]);
    // The engine was restarted without its containers, and has not checked this one yet.
    assert_eq!(world.on(seen(Health::Starting, "1")), [""; 0]);
    assert_eq!(world.health("a", false), [""; 0]);
    // Missed: it recovered.
    assert_eq!(world.on(seen(Health::Healthy, "1")), ["a well after 0"]);
    // Missed: it was started anew, and is ill.
    assert_eq!(world.on(seen(Health::Unhealthy, "2")), ["a ill"]);
    // Missed: again. It is another illness, and the restart has not helped.
    assert_eq!(world.on(seen(Health::Starting, "3")), [""; 0]);
    assert_eq!(world.health("a", false), ["a ill"]);
    // Missed: it was removed.
    world.on(Event::Snapshot(vec![container("b")]));
    assert_eq!(world.pass(2 * HOUR), [""; 0]);
}

#[test]
fn replicas_are_restarted_one_after_the_other() {
    let replica = |number: u8| Container {
        service: Some("b".into()),
        ..container(&format!("b-{number}"))
    };
    // Two who complain, one cure.
    let a = [checked("a1", "b"), checked("a2", "b")];
    let [a1, a2] = a;
    let mut world = World::of(&[a1, a2, replica(1), replica(2)]);
    world.health("a1", false);
    world.health("a2", false);
    assert_eq!(world.pass(AFTER), ["restart b-1 for a1"]);
    // What the engine says of a restart, whose last event may come after its end.
    world.kill("b-1", "15");
    assert_eq!(world.die("b-1"), [""; 0]);
    assert_eq!(world.pass(AFTER), [""; 0]);
    assert_eq!(world.restarted("b-1"), [""; 0]);
    let starting = Container {
        health: Health::Starting,
        ..replica(1)
    };
    assert_eq!(world.on(Event::Started(starting)), [""; 0]);
    let id = "id-b-1".into();
    let healthy = Event::Health {
        id,
        healthy: true,
        line: String::new(),
    };
    assert_eq!(world.on(healthy), ["restart b-2 for a1"]);
    world.die("b-2");
    assert_eq!(world.restarted("b-2"), [""; 0]);
    assert_eq!(world.pass(AFTER), [""; 0]);
    // The first has helped.
    world.health("a1", true);
    world.health("a2", true);
    assert_eq!(world.pass(HOUR), [""; 0]);
}

#[test]
fn its_own_container_is_left_alone() {
    let mut world = World::of(&[checked("a", "watch,b"), container("watch"), container("b")]);
    world.health("a", false);
    let line = "a: heal=watch: it is the container of this program, which is left alone";
    assert_eq!(world.pass(AFTER), [line, "restart b for a"]);
}

#[test]
fn a_paused_container_is_left_alone() {
    let mut world = ab();
    let changed = |runs| {
        Event::Changed(Container {
            runs,
            ..container("b")
        })
    };
    world.on(changed(false));
    world.health("a", false);
    let line = "a: heal=b: no such container runs on this engine";
    assert_eq!(world.pass(AFTER), [line]);
    assert_eq!(world.on(changed(true)), ["restart b for a"]);
}

#[test]
fn flapping_is_told_in_one_message() {
    let mut world = World::of(&[checked("a", "")]);
    let mut told = Vec::new();
    for round in 0..25 {
        told.extend(world.health("a", round % 2 == 1));
        told.extend(world.pass(10 * SECOND));
    }
    assert_eq!(told.len(), MOST_TOLD, "{told:?}");
    // The last one was told after 110 s.
    assert_eq!(world.seconds(), 250);
    assert_eq!(world.pass(TELLING - 141 * SECOND), [""; 0]);
    assert_eq!(world.pass(SECOND), ["a ill, 12 untold"]);
    // It has calmed down.
    assert_eq!(world.pass(TELLING), [""; 0]);
    assert_eq!(world.health("a", true).len(), 1);
}

/// What may happen to one of the containers `a`, which names `b` and itself, `b`, and `watch`.
#[derive(Debug, Clone)]
enum Chance {
    Health(usize, bool),
    Kill(usize, &'static str),
    Die(usize),
    Start(usize),
    Remove(usize),
    Restarted(usize),
    Wait(u64),
}

const NAMES: [&str; 3] = ["a", "b", "watch"];

fn chance() -> impl Strategy<Value = Chance> {
    use Chance::*;
    let who = 0..NAMES.len();
    prop_oneof![
        6 => (who.clone(), any::<bool>()).prop_map(|(who, healthy)| Health(who, healthy)),
        1 => (who.clone(), prop_oneof![Just("15"), Just("9"), Just("1")])
            .prop_map(|(who, signal)| Kill(who, signal)),
        1 => who.clone().prop_map(Die),
        2 => who.clone().prop_map(Start),
        1 => who.clone().prop_map(Remove),
        3 => who.prop_map(Restarted),
        4 => prop_oneof![1u64..20, 1u64..4000].prop_map(Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// No message without a change, no restart without an illness that lasts, none of what leaves, none too many.
    #[test]
    fn whatever_happens(chances in proptest::collection::vec(chance(), 1..80)) {
        let fresh = [checked("a", "b,a,watch"), checked("b", "b"), checked("watch", "")];
        let mut world = World::of(&fresh);
        // Of each: whether it runs and stays, what was said of it in this life, since when it is ill.
        let mut stays = [true; 3];
        let mut healthy = [None; 3];
        let mut ill_since = [None; 3];
        let mut gone = [false; 3];
        let mut restarts: [Vec<Instant>; 3] = Default::default();
        for chance in chances {
            let mut may_tell = None;
            let actions = match chance {
                Chance::Health(who, is) => {
                    if !gone[who] && stays[who] && healthy[who] != Some(is) {
                        healthy[who] = Some(is);
                        ill_since[who] = (!is).then_some(world.now);
                        may_tell = Some(NAMES[who]);
                    }
                    world.state.on(Event::Health { id: fresh[who].id.clone(), healthy: is, line: String::new() }, world.now)
                }
                Chance::Kill(who, signal) => {
                    stays[who] &= signal == "1";
                    world.state.on(Event::Kill { id: fresh[who].id.clone(), signal: signal.into() }, world.now)
                }
                Chance::Die(who) => {
                    stays[who] = false;
                    world.state.on(Event::Died { id: fresh[who].id.clone() }, world.now)
                }
                Chance::Start(who) => {
                    (stays[who], gone[who]) = (true, false);
                    (healthy[who], ill_since[who]) = (None, None);
                    world.state.on(Event::Started(fresh[who].clone()), world.now)
                }
                Chance::Remove(who) => {
                    gone[who] = true;
                    world.state.on(Event::Removed { id: fresh[who].id.clone() }, world.now)
                }
                Chance::Restarted(who) => {
                    let role = NAMES[who].into();
                    world.state.on(Event::Restarted { role }, world.now)
                }
                Chance::Wait(seconds) => {
                    world.now += Duration::from_secs(seconds);
                    world.state.on(Event::Tick, world.now)
                }
            };
            for action in actions {
                match action {
                    // What is held back, or was hidden by a stop signal that is long ago, may come with any event.
                    Action::Tell(message) => {
                        let calm = world.state.histories.values().all(|it| it.told.len() < MOST_TOLD);
                        let unsure = stays.contains(&false);
                        prop_assert!(!calm || unsure || may_tell == Some(message.name.as_str()), "{message:?}");
                    }
                    Action::Restart(restart) => {
                        let who = NAMES.iter().position(|name| *name == restart.name).expect("it is one of them");
                        let by = NAMES.iter().position(|name| *name == restart.by).expect("it is one of them");
                        prop_assert_ne!(who, 2, "its own");
                        prop_assert!(!gone[who] && !gone[by]);
                        let was_killed_long_ago = world.now - world.begun > DRAINING;
                        prop_assert!((stays[who] && stays[by]) || was_killed_long_ago);
                        if stays[by] {
                            let since = ill_since[by].expect("it is ill");
                            prop_assert!(world.now >= since + AFTER);
                        }
                        restarts[who].push(world.now);
                        let last_hour = restarts[who].iter().filter(|&&at| world.now < at + HOUR).count();
                        prop_assert!(last_hour <= MOST, "{last_hour} restarts of {}", restart.name);
                    }
                    Action::Spare(_) => {}
                }
            }
        }
    }
}
