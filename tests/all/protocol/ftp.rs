//! FTP.

use super::conversation::{
    Conversation,
    Said::{Healthy, Unhealthy},
    TOO_LONG,
};

#[rustfmt::skip]
pub fn conversation() -> Conversation {
    // vsftpd
    let mut talk = Conversation::new(
        "ftp",
        &[(b"", b"220 (vsFTPd 3.0.3)\r\n")], b"QUIT\r\n",
    );

    // RFC 959, section 5.4; texts of vsftpd, ProFTPD and Pure-FTPd.
    talk.states(&[
        (&[b"220---------- Welcome to Pure-FTPd ----------\r\n220 You will be disconnected.\r\n"], Healthy("answers")),
        (&[b"120 Service ready in 2 minutes.\r\n220 Now.\r\n"], Healthy("answers")),
        (&[b"421 There are too many connected users, please try later.\r\n"], Unhealthy("the server says: 421 There are too many connected users, please try later.")),
        (&[b"500 OOPS: vsftpd: refusing to run\r\n"], Unhealthy("the server says: 500 OOPS: vsftpd: refusing to run")),
        (&[b"2200 what\r\n"], Unhealthy("not ftp: the reply begins with 2200 what\\r\\n")),
        (&[b"1200 what\r\n"], Unhealthy("not ftp: the reply begins with 1200 what\\r\\n")),
        (&[b"42 what\r\n"], Unhealthy("not ftp: the reply begins with 42 what\\r\\n")),
        (&[b"5000 what\r\n"], Unhealthy("not ftp: the reply begins with 5000 what\\r\\n")),
        (&[b"421-Too many\r\n421 users\r\n"], Unhealthy("the server says: 421-Too many")),
    ]);

    talk.endless(0, b"", b"120 soon\r\n", TOO_LONG);
    talk
}
