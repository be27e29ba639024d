//! The checker as `/bin/sh` of an image that has no shell: what Docker runs a line with.

use super::{Container, Images, TIGHT_BOX, build_on, succeed, trial};
use libtest_mimic::Trial;
use std::sync::Arc;

pub fn trials(images: &Arc<Images>) -> Vec<Trial> {
    vec![trial(images, "docker::lines_for_a_shell", |images| {
        let image = image(images);
        // The line of the image's own HEALTHCHECK, as the tutorials have it.
        falls_ill(&image, &[], "200-399");
        // `docker run --health-cmd LINE`. Compose makes the same of `test: LINE` and of `test: ["CMD-SHELL", LINE]`.
        for (line, expected) in [
            (
                "curl -fsS http://localhost:6767/health > /dev/null 2>&1 || exit 1",
                "200-399",
            ),
            (
                "wget -q --spider -T 5 -t 1 \"http://localhost:${PORT:-80}/health\" || exit 1",
                "200-299",
            ),
            (
                "[ \"$(curl -s -o /dev/null -w '%{http_code}' localhost:$PORT/health)\" = 200 ]",
                "200",
            ),
        ] {
            falls_ill(&image, &["--health-cmd", line], expected);
        }
    })]
}

/// The Go example with the checker at /bin/sh, beside where it is already.
fn image(images: &Images) -> String {
    let dockerfile = format!(
        "FROM {}\nCOPY --from={} /healthchecker /bin/sh\nHEALTHCHECK CMD curl -f http://localhost:6767/health || exit 1\n",
        images.go(),
        images.checker()
    );
    build_on(images.go(), "shell", &dockerfile)
}

fn falls_ill(image: &str, options: &[&str], expected: &str) {
    let times = ["--health-interval", "1s", "--health-retries", "1"];
    let options: Vec<&str> = TIGHT_BOX
        .split(' ')
        .chain(times)
        .chain(options.iter().copied())
        .collect();
    let container = Container::with(image, &options);
    container.becomes(
        "healthy",
        0,
        "healthy: http://localhost:6767/health: 200 OK in * ms\n",
    );
    container.get("/testability/healthy/false");
    let ill =
        format!("unhealthy: http://localhost:6767/health: status 503, expected {expected}; *\n");
    container.becomes("unhealthy", 1, &ill);
    let test = succeed(&[
        "inspect",
        "--format",
        "{{index .Config.Healthcheck.Test 0}}",
        &container.id,
    ]);
    assert_eq!(test, "CMD-SHELL");
    // It is no shell to anybody else.
    let exec = ["exec", &container.id, "/bin/sh", "-c", "ls /"];
    let why = super::docker(&exec).expect_err("it cannot run ls");
    assert!(why.contains("it cannot run \"ls\""), "{why}");
}
