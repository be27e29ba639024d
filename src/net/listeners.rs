//! Who listens on this machine: what the kernel says of its listening TCP sockets.
//!
//! `/proc/net/tcp` lists every connection as well, and to read it the kernel walks the whole host's table of them, which
//! takes milliseconds even where there are few. `sock_diag(7)` can be asked for listening sockets alone. The text of
//! the files is read where the kernel has no `sock_diag`, or where a sandbox does not allow it.

#[cfg(target_os = "linux")]
pub mod diag;
pub mod proc;

#[cfg(target_os = "linux")]
use diag::diagnosed;
use proc::tabulated;
use rustix::fd::AsFd;
use rustix::fs::{Mode, OFlags};
use std::net::SocketAddr;

/// `TCP_LISTEN` of include/net/tcp_states.h.
const LISTEN: u8 = 10;

/// The addresses on which somebody listens. None where that cannot be known, and where `/proc/net/tcp` and `tcp6` cannot
/// be opened: in a container they list that container's sockets, and whoever hides them does not want those listed.
pub fn listeners() -> Option<Vec<SocketAddr>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let mut found = None;
    // A kernel without sock_diag is asked only once: it might try to load a module each time.
    let mut can_diagnose = true;
    for (path, is_v6) in [("/proc/net/tcp", false), ("/proc/net/tcp6", true)] {
        let Ok(file) = rustix::fs::open(path, flags, Mode::empty()) else {
            continue;
        };
        let diagnosed = can_diagnose.then(|| diagnosed(is_v6)).flatten();
        can_diagnose = diagnosed.is_some();
        if let Some(listeners) = diagnosed.or_else(|| tabulated(file.as_fd())) {
            found.get_or_insert_with(Vec::new).extend(listeners);
        }
    }
    found
}

#[cfg(not(target_os = "linux"))]
fn diagnosed(_: bool) -> Option<Vec<SocketAddr>> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn the_kernel_says_the_same_in_both_ways() {
        for (host, path, is_v6) in [
            ("127.0.0.1", "/proc/net/tcp", false),
            ("::1", "/proc/net/tcp6", true),
        ] {
            // So many that the answer has several parts (each listener takes 88 bytes or more), and not so many that they
            // are more files than a process may open.
            let bound: Vec<TcpListener> = (0..95)
                .map_while(|_| TcpListener::bind((host, 0)).ok())
                .collect();
            if bound.is_empty() {
                // A machine without IPv6: nobody listens there, and nothing is to be found.
                assert!(is_v6);
                continue;
            }
            let file = std::fs::File::open(path).unwrap();
            let tabulated = tabulated(file.as_fd()).unwrap();
            let diagnosed = diagnosed(is_v6).unwrap_or_else(|| {
                // Some sandboxes have none; this project's CI has.
                assert!(std::env::var_os("CI").is_none(), "no sock_diag");
                tabulated.clone()
            });
            for listener in bound {
                let address = listener.local_addr().unwrap();
                assert!(tabulated.contains(&address), "{address}");
                assert!(diagnosed.contains(&address), "{address}");
            }
        }
    }
}
