//! Servers with which one holds a session: mail, directories, shells, files.

use super::Row;
use super::daemon::{Home, free_port};
use crate::support::{Skip, check};
use std::io::Read;
use std::net::TcpStream;

/// Holds a session that has been greeted so. It takes the server a moment to see that the one before it is over.
fn greeted(port: u16, greeting: &str) -> TcpStream {
    loop {
        let mut session = TcpStream::connect(("127.0.0.1", port)).expect("connect");
        let mut heard = [0; 512];
        let read = session.read(&mut heard).expect("receive");
        if heard[..read].starts_with(greeting.as_bytes()) {
            return session;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

pub fn exim(row: &Row) -> Result<(), Skip> {
    let home = Home::of("root")?;
    let port = free_port();
    let url = format!("smtp://localhost:{port}");
    // Which it makes itself, for its own user.
    let spool = home.path("spool");
    let start = |more: &str| {
        let text = format!(
            "primary_hostname = mail.example\nspool_directory = {spool}\nlocal_interfaces = 127.0.0.1\nkeep_environment =\ndisable_ipv6\ntls_advertise_hosts =\n{more}\n"
        );
        let file = home.file("exim.conf", &text);
        let port = port.to_string();
        let pid = home.path("pid");
        home.start("exim4", &["-C", &file, "-bdf", "-oX", &port, "-oP", &pid])
    };
    let mut server = start("smtp_accept_max = 3")?;
    server.up(&[&url]);
    row.run(port, "answers");
    let sessions = [(); 3].map(|()| greeted(port, "220 "));
    check([&url]).unhealthy(&format!(
        "unhealthy: {url}: the server says: 421 Too many concurrent SMTP connections; please try again later. (* ms)"
    ));
    drop(sessions);
    server.up(&[&url]);
    server.dies(&[&url], &url);

    // It talks to nobody of this machine.
    let mut server = start("host_reject_connection = 127.0.0.1")?;
    server.eventually("listening", || !check([&url]).stderr.contains("refused"));
    check([&url]).unhealthy(&format!(
        "unhealthy: {url}: the server says: 554 SMTP service not available (* ms)"
    ));
    server.stop();
    let mut server =
        start("acl_smtp_helo = helo\nbegin acl\nhelo:\n  defer message = come back later")?;
    server.eventually("listening", || !check([&url]).stderr.contains("refused"));
    check([&url]).unhealthy(&format!(
        "unhealthy: {url}: the server says: 451 come back later (* ms)"
    ));
    Ok(())
}

pub fn dovecot(row: &Row) -> Result<(), Skip> {
    let home = Home::of("root")?;
    let (this, other, farewell) = match row.line.contains("imap") {
        true => ("imap", "pop3", "* BYE"),
        false => ("pop3", "imap", "-ERR"),
    };
    let port = free_port();
    let url = format!("{this}://localhost:{port}");
    let (run, mail) = (home.dir("run"), home.path("mail"));
    let start = |userdb: &str| {
        let text = format!(
            "protocols = imap pop3\nlisten = 127.0.0.1\nssl = no\nbase_dir = {run}\nlog_path = /dev/stderr\n\
             mail_location = maildir:{mail}\n\
             passdb {{\n driver = static\n args = password=x\n}}\nuserdb {{\n driver = {userdb}\n}}\n\
             service {this}-login {{\n inet_listener {this} {{\n  port = {port}\n }}\n inet_listener {this}s {{\n  port = 0\n }}\n}}\n\
             service {other}-login {{\n inet_listener {other} {{\n  port = 0\n }}\n inet_listener {other}s {{\n  port = 0\n }}\n}}\n"
        );
        let file = home.file("dovecot.conf", &text);
        home.start("dovecot", &["-F", "-c", &file])
    };
    let mut server = start("static\n args = uid=65534 gid=65534 home=/nonexistent")?;
    server.up(&[&url]);
    server.logs_only(
        |line| !line.contains("Error") && !line.contains("Warning"),
        || row.run(port, "answers"),
    );
    server.dies(&[&url], &url);
    drop(server);
    // It listens, but nobody could ever log in.
    let mut server = start("nonexistent")?;
    server.eventually("listening", || !check([&url]).stderr.contains("refused"));
    check(["--timeout=20s", &url]).unhealthy(&format!(
        "unhealthy: {url}: the server says: {farewell} Auth process broken (*s)"
    ));
    Ok(())
}

pub fn vsftpd(row: &Row) -> Result<(), Skip> {
    let home = Home::of("root")?;
    let port = free_port();
    let url = format!("ftp://localhost:{port}");
    let text = format!(
        "listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\nanonymous_enable=YES\nmax_clients=3\nsecure_chroot_dir={}\nxferlog_enable=NO\nseccomp_sandbox=NO\n",
        home.dir("empty")
    );
    let file = home.file("vsftpd.conf", &text);
    let mut server = home.start("vsftpd", &[&file])?;
    server.up(&[&url]);
    row.run(port, "answers");
    let sessions = [(); 3].map(|()| greeted(port, "220 "));
    check([&url]).unhealthy(&format!(
        "unhealthy: {url}: the server says: 421 There are too many connected users, please try later. (* ms)"
    ));
    drop(sessions);
    server.up(&[&url]);
    server.hangs(&[&url], &url);
    server.dies(&[&url], &url);
    Ok(())
}

pub fn openssh(row: &Row) -> Result<(), Skip> {
    let home = Home::of("root")?;
    let port = free_port();
    let url = format!("ssh://localhost:{port}");
    let key = home.path("key");
    home.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &key])?;
    // Where it separates its privileges; the package's unit makes it.
    std::fs::create_dir_all("/run/sshd")
        .map_err(|error| Skip::new(format!("/run/sshd: {error}")))?;
    let text = format!(
        "ListenAddress 127.0.0.1:{port}\nHostKey {key}\nPidFile none\nUsePAM no\nMaxStartups 3\nAuthorizedKeysFile none\n"
    );
    let file = home.file("sshd_config", &text);
    let mut server = home.start("sshd", &["-D", "-e", "-f", &file])?;
    server.up(&[&url]);
    server.logs_only(
        |line| line.contains("disconnect") || line.starts_with("Disconnected from"),
        || row.run(port, "answers"),
    );
    let sessions = [(); 3].map(|()| greeted(port, "SSH-"));
    check([&url]).unhealthy(&format!(
        "unhealthy: {url}: the server says: Exceeded MaxStartups (* ms)"
    ));
    drop(sessions);
    server.up(&[&url]);
    server.hangs(&[&url], &url);
    server.dies(&[&url], &url);
    Ok(())
}

pub fn slapd(row: &Row) -> Result<(), Skip> {
    let home = Home::of("openldap")?;
    let port = free_port();
    let url = format!("ldap://localhost:{port}");
    let socket = home.path("s");
    let addresses = format!(
        "ldap://127.0.0.1:{port} ldapi://{}",
        socket.replace('/', "%2F")
    );
    let by_socket = ["--unix-socket", &socket, "ldap://localhost"];
    let start = |more: &str| {
        let file = home.file(
            "slapd.conf",
            &format!("pidfile {}\n{more}\n", home.path("pid")),
        );
        home.start("slapd", &["-f", &file, "-h", &addresses, "-d", "256"])
    };
    let mut server = start("")?;
    server.up(&[&url]);
    let fine = |line: &str| {
        let line = line.to_lowercase();
        !["error", "connection lost", "err=2"]
            .iter()
            .any(|word| line.contains(word))
    };
    server.logs_only(fine, || {
        row.run(port, "answers");
        check(by_socket).healthy("healthy: ldap://localhost:389: answers in * ms via *");
    });
    server.hangs(&[&url], &url);
    server.dies(&[&url], &url);
    drop(server);
    let mut server = start("disallow bind_anon")?;
    server.up(&[&url]);
    row.run(
        port,
        "answers, wants authentication: 48 anonymous bind disallowed",
    );
    server.stop();
    let mut server = start("restrict bind")?;
    server.up(&[&url]);
    row.run(port, "answers, wants authentication: 53 *");
    Ok(())
}
