//! The configurations of `examples/swarm`, read by those that they are for.

use crate::support::{Skip, program};
use std::path::Path;
use std::process::Command;

/// Ours, as its path from the repository's root.
fn file(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    file.to_string_lossy().into_owned()
}

pub fn haproxy_accepts_its_configuration() -> Result<(), Skip> {
    let haproxy = program("haproxy")?;
    let text = std::fs::read_to_string(file("examples/swarm/haproxy.cfg")).expect("it is there");
    // Here the names mean nothing, and finding that out can take long.
    let text = text.replace("init-addr libc,none", "init-addr none");
    let copy = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(&copy, text).expect("it is writable");
    // -dW: a warning is an error.
    accepts(
        Command::new(haproxy)
            .args(["-c", "-dW", "-f"])
            .arg(copy.path()),
    );
    Ok(())
}

pub fn prometheus_accepts_its_configuration() -> Result<(), Skip> {
    let (promtool, amtool) = (program("promtool")?, program("amtool")?);
    let prometheus = file("examples/swarm/prometheus.yml");
    accepts(Command::new(promtool).args(["check", "config", &prometheus]));
    let alertmanager = file("examples/swarm/alertmanager.yml");
    accepts(Command::new(amtool).args(["check-config", &alertmanager]));
    Ok(())
}

fn accepts(command: &mut Command) {
    let output = command.output().expect("it is on PATH");
    let [out, err] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "{command:?}: {out}{err}");
}
