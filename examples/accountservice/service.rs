//! The account service: a hundred accounts in a database on disk, and a health that depends on reading it.
//!
//! | request | answer |
//! |---|---|
//! | `GET /accounts/{id}` | 200 `{"id":"10000","name":"Person_0"}`, or 404 |
//! | `POST /accounts/{id}` with `{"name":"Ada"}` | the account is called that from now on: 200 and the account, or 404 |
//! | `GET /health` | 200 `{"status":"UP"}`, or 503 `{"status":"Database unaccessible"}` |
//! | `GET /testability/healthy/{true\|false}` | 200; the service is well, or ill, from then on |
//! | `GET /testability/hanging/{true\|false}` | 200; from then on, whatever reads the database waits, or no longer |
//!
//! The server adds `/live` and `/ready`.

#[path = "http.rs"]
mod http;

use http::{Question, Reply, Server};
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use serde_json::{Value, json};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Account ids to names.
const ACCOUNTS: TableDefinition<&str, &str> = TableDefinition::new("accounts");
/// The account that a health check reads.
const FIRST: u32 = 10_000;

/// A running account service.
pub struct Service {
    server: Server,
    accounts: Arc<Accounts>,
    healthy: Arc<AtomicBool>,
}

impl Service {
    /// Opens the database, which is created and seeded where there is none, and listens.
    pub fn start(listen: SocketAddr, database: &Path) -> Result<Self, String> {
        let accounts = Accounts::open(database)
            .map_err(|error| format!("cannot use the database {}: {error}", database.display()))?;
        let accounts = Arc::new(accounts);
        let healthy = Arc::new(AtomicBool::new(true));
        let asked = (Arc::clone(&accounts), Arc::clone(&healthy));
        let server = Server::start(listen, move |question| answer(question, &asked.0, &asked.1))?;
        Ok(Service {
            server,
            accounts,
            healthy,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Makes whatever reads the database wait until the service is stopped.
    #[allow(dead_code, reason = "the demo does this; others have a request for it")]
    pub fn hang(&self) {
        self.accounts.set_hanging(true);
    }

    /// Makes the service ill after a time.
    #[allow(
        dead_code,
        reason = "an option does this; the demo has requests for it"
    )]
    pub fn fall_ill_after(&self, time: Duration) {
        let healthy = Arc::clone(&self.healthy);
        thread::spawn(move || {
            thread::sleep(time);
            healthy.store(false, Ordering::Relaxed);
        });
    }

    /// What makes the service drain when it is called, as `Server::drainer` says.
    #[allow(dead_code, reason = "the demo has nobody to drain to")]
    pub fn drainer(&self) -> impl FnOnce() + Send + use<> {
        self.server.drainer()
    }

    /// What makes the service close when it is called, from any thread.
    pub fn closer(&self) -> impl FnOnce() + Send + use<> {
        let close_server = self.server.closer();
        let accounts = Arc::clone(&self.accounts);
        move || {
            accounts.set_hanging(false);
            close_server();
        }
    }

    /// Waits until the service was stopped, its last requests are answered, and its port and database are free.
    pub fn wait(self) -> io::Result<()> {
        self.server.wait()
    }
}

fn answer(question: &Question, accounts: &Accounts, healthy: &AtomicBool) -> Reply {
    let segments: Vec<&str> = question.path.split('/').skip(1).collect();
    match (&segments[..], &question.body) {
        (["accounts", id], None) => account(id, accounts.name(id)),
        (["accounts", id], Some(body)) => match new_name(body) {
            Some(name) => account(id, accounts.rename(id, name)),
            None => Reply::error(400, r#"expected {"name":"..."}"#),
        },
        (_, Some(_)) => Reply::error(405, "only GET is allowed"),
        (["health"], None) => {
            let readable = matches!(accounts.name(&FIRST.to_string()), Ok(Some(_)));
            if readable && healthy.load(Ordering::Relaxed) {
                Reply(200, json!({ "status": "UP" }))
            } else {
                Reply(503, json!({ "status": "Database unaccessible" }))
            }
        }
        (["testability", what @ ("healthy" | "hanging"), wish], None) => match wish.parse() {
            Ok(wish) => {
                match *what {
                    "hanging" => accounts.set_hanging(wish),
                    _ => healthy.store(wish, Ordering::Relaxed),
                }
                Reply(200, json!({ (*what): wish }))
            }
            Err(_) => Reply::error(400, "expected true or false"),
        },
        _ => Reply::error(404, "no such page"),
    }
}

/// An account as it was found.
fn account(id: &str, name: Result<Option<String>, redb::Error>) -> Reply {
    match name {
        Ok(Some(name)) => Reply(200, json!({ "id": id, "name": name })),
        Ok(None) => Reply::error(404, "no such account"),
        Err(error) => Reply::error(500, error.to_string()),
    }
}

fn new_name(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(body.get("name")?.as_str()?.to_owned())
}

/// The database.
struct Accounts {
    database: Database,
    /// Whether reads wait. Poison is of no interest: a bool is whole, whatever panicked beside it.
    hanging: Mutex<bool>,
    resumed: Condvar,
}

impl Accounts {
    fn open(file: &Path) -> Result<Self, redb::Error> {
        // Without a cache every read reaches the file: a health check that finds everything in memory would
        // never notice that the disk has gone.
        let database = Database::builder().set_cache_size(0).create(file)?;
        let seeding = database.begin_write()?;
        {
            let mut table = seeding.open_table(ACCOUNTS)?;
            if table.is_empty()? {
                for i in 0..100 {
                    let (id, name) = ((FIRST + i).to_string(), format!("Person_{i}"));
                    table.insert(id.as_str(), name.as_str())?;
                }
            }
        }
        seeding.commit()?;
        Ok(Accounts {
            database,
            hanging: Mutex::new(false),
            resumed: Condvar::new(),
        })
    }

    fn name(&self, id: &str) -> Result<Option<String>, redb::Error> {
        self.wait_while_hanging();
        let table = self.database.begin_read()?.open_table(ACCOUNTS)?;
        Ok(table.get(id)?.map(|name| name.value().to_owned()))
    }

    /// Changes the name of an account, if there is one, and returns what it is now.
    fn rename(&self, id: &str, name: String) -> Result<Option<String>, redb::Error> {
        self.wait_while_hanging();
        let renaming = self.database.begin_write()?;
        let known = {
            let mut table = renaming.open_table(ACCOUNTS)?;
            let known = table.get(id)?.is_some();
            if known {
                table.insert(id, name.as_str())?;
            }
            known
        };
        renaming.commit()?;
        Ok(known.then_some(name))
    }

    fn set_hanging(&self, hanging: bool) {
        *self.hanging.lock().unwrap_or_else(PoisonError::into_inner) = hanging;
        self.resumed.notify_all();
    }

    fn wait_while_hanging(&self) {
        let hanging = self.hanging.lock().unwrap_or_else(PoisonError::into_inner);
        let _resumed = self.resumed.wait_while(hanging, |hanging| *hanging);
    }
}
