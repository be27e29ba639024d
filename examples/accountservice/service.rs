//! The account service: a hundred accounts in a database on disk, and a health that depends on reading it.
//!
//! | `GET` | answer |
//! |---|---|
//! | `/accounts/{id}` | 200 `{"id":"10000","name":"Person_0"}`, or 404 |
//! | `/health` | 200 `{"status":"UP"}`, or 503 `{"status":"Database unaccessible"}` |
//! | `/testability/healthy/{true\|false}` | 200; the service is well, or ill, from then on |

#[path = "http.rs"]
mod http;

use http::{Reply, Server};
use redb::{Database, ReadableDatabase, ReadableTableMetadata, TableDefinition};
use serde_json::json;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Account ids to names.
const ACCOUNTS: TableDefinition<&str, &str> = TableDefinition::new("accounts");
/// The account that a health check reads.
const FIRST: u32 = 10_000;

/// A running account service.
pub struct Service {
    server: Server,
    accounts: Arc<Accounts>,
}

impl Service {
    /// Opens the database, which is created and seeded where there is none, and listens.
    pub fn start(listen: SocketAddr, database: &Path) -> Result<Self, String> {
        let accounts = Accounts::open(database)
            .map_err(|error| format!("cannot use the database {}: {error}", database.display()))?;
        let accounts = Arc::new(accounts);
        let healthy = AtomicBool::new(true);
        let asked = Arc::clone(&accounts);
        let server = Server::start(listen, move |path| answer(path, &asked, &healthy))?;
        Ok(Service { server, accounts })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Makes whatever reads the database wait until the service is stopped.
    #[allow(dead_code, reason = "the demo does this; no request can")]
    pub fn hang(&self) {
        self.accounts.set_hanging(true);
    }

    /// What makes the service stop when it is called, from any thread.
    pub fn stopper(&self) -> impl FnOnce() + Send + use<> {
        let stop_server = self.server.stopper();
        let accounts = Arc::clone(&self.accounts);
        move || {
            accounts.set_hanging(false);
            stop_server();
        }
    }

    /// Waits until the service was stopped, its last requests are answered, and its port and database are free.
    pub fn wait(self) -> io::Result<()> {
        self.server.wait()
    }
}

fn answer(path: &str, accounts: &Accounts, healthy: &AtomicBool) -> Reply {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match segments[..] {
        ["accounts", id] => match accounts.name(id) {
            Ok(Some(name)) => Reply(200, json!({ "id": id, "name": name })),
            Ok(None) => Reply::error(404, "no such account"),
            Err(error) => Reply::error(500, error.to_string()),
        },
        ["health"] => {
            let readable = matches!(accounts.name(&FIRST.to_string()), Ok(Some(_)));
            if readable && healthy.load(Ordering::Relaxed) {
                Reply(200, json!({ "status": "UP" }))
            } else {
                Reply(503, json!({ "status": "Database unaccessible" }))
            }
        }
        ["testability", "healthy", wish] => match wish.parse() {
            Ok(wish) => {
                healthy.store(wish, Ordering::Relaxed);
                Reply(200, json!({ "healthy": wish }))
            }
            Err(_) => Reply::error(400, "expected true or false"),
        },
        _ => Reply::error(404, "no such page"),
    }
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

    fn set_hanging(&self, hanging: bool) {
        *self.hanging.lock().unwrap_or_else(PoisonError::into_inner) = hanging;
        self.resumed.notify_all();
    }

    fn wait_while_hanging(&self) {
        let hanging = self.hanging.lock().unwrap_or_else(PoisonError::into_inner);
        let _resumed = self.resumed.wait_while(hanging, |hanging| *hanging);
    }
}
