//! Who is in HAProxy's rotation, and since when: from its statistics, asked for all the time.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Times are as exact as this.
const INTERVAL: Duration = Duration::from_millis(50);

/// The servers that HAProxy sends requests to, as `backend/server`.
type Servers = BTreeSet<String>;

/// A history of the rotation. Its thread ends when the value is gone.
pub struct Rotation(Arc<Mutex<Vec<(Instant, Servers)>>>);

impl Rotation {
    /// Follows it from now on. A HAProxy that does not answer sends nothing to anybody.
    pub fn follow(statistics: SocketAddr) -> Self {
        let changes = Arc::new(Mutex::new(vec![(Instant::now(), up(statistics))]));
        let weak = Arc::downgrade(&changes);
        thread::spawn(move || {
            while let Some(changes) = weak.upgrade() {
                let now = up(statistics);
                let mut changes = changes.lock().unwrap_or_else(PoisonError::into_inner);
                if changes.last().is_none_or(|(_, before)| *before != now) {
                    changes.push((Instant::now(), now));
                }
                drop(changes);
                thread::sleep(INTERVAL);
            }
        });
        Rotation(changes)
    }

    fn changes(&self) -> Vec<(Instant, Servers)> {
        let changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        changes.clone()
    }

    /// How many there are now.
    pub fn servers(&self) -> usize {
        self.changes()
            .last()
            .map_or(0, |(_, servers)| servers.len())
    }

    /// When it changed last.
    pub fn changed(&self) -> Option<Instant> {
        self.changes().last().map(|(at, _)| *at)
    }

    /// When the first of those that were in it at `time` was out of it.
    pub fn out(&self, time: Instant) -> Option<Instant> {
        let changes = self.changes();
        let then = changes.iter().rev().find(|(at, _)| *at <= time)?;
        let out = |(at, servers): &&(Instant, Servers)| *at > time && !then.1.is_subset(servers);
        changes.iter().find(out).map(|(at, _)| *at)
    }
}

fn up(statistics: SocketAddr) -> Servers {
    csv(statistics).map_or_else(|_| Servers::new(), |csv| servers(&csv))
}

fn csv(statistics: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&statistics, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(b"GET /;csv HTTP/1.0\r\n\r\n")?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply)
}

/// Whoever is `UP`, or `UP 1/2` while its checks begin to fail. A row that is no server's has another name in capitals.
fn servers(csv: &str) -> Servers {
    let Some((_, rows)) = csv.split_once("# pxname,") else {
        return Servers::new();
    };
    let mut rows = rows.lines();
    let names = rows.next().unwrap_or_default().split(',');
    let Some(status) = names.clone().position(|name| name == "status") else {
        return Servers::new();
    };
    rows.filter_map(|row| {
        let mut fields = row.split(',');
        let (backend, server) = (fields.next()?, fields.next()?);
        // The first name was taken off with the `#`, so one of the fields is gone as well.
        let is_up = fields.nth(status - 1)?.starts_with("UP");
        let is_server = !["FRONTEND", "BACKEND"].contains(&server);
        (is_up && is_server).then(|| format!("{backend}/{server}"))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_servers_that_are_up_are_in_rotation() {
        let csv = "HTTP/1.0 200 OK\r\n\r\n\
            # pxname,svname,qcur,status,weight\n\
            accounts,FRONTEND,,OPEN,\n\
            accounts,a1,0,UP,1\n\
            accounts,a2,0,UP 1/2,1\n\
            accounts,a3,0,DOWN,1\n\
            accounts,a4,0,MAINT (resolution),1\n\
            accounts,BACKEND,0,UP,2\n";
        let found = Vec::from_iter(servers(csv));
        assert_eq!(found, ["accounts/a1", "accounts/a2"]);
        assert!(servers("HTTP/1.0 503 Service Unavailable\r\n\r\n").is_empty());
    }

    #[test]
    fn moments_are_those_of_the_changes() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let rotation = Rotation(Arc::new(Mutex::new(vec![
            (at(0), set(&["1", "2"])),
            (at(2), set(&["1", "2", "3"])),
            (at(3), set(&["1", "3"])),
            (at(4), set(&["1"])),
            (at(5), set(&["1", "4"])),
        ])));
        assert_eq!(rotation.out(at(1)), Some(at(3)));
        assert_eq!(rotation.out(at(5)), None);
        assert_eq!(rotation.changed(), Some(at(5)));
        assert_eq!(rotation.servers(), 2);
    }
}
