//! SMTP.

use super::conversation::{
    Conversation,
    Said::{Healthy, Unhealthy},
    TOO_LONG,
};

#[rustfmt::skip]
pub fn conversation() -> Conversation {
    // RFC 5321, appendix D.1
    let mut talk = Conversation::new(
        "smtp",
        &[
                (b"", b"220 foo.com Simple Mail Transfer Service Ready\r\n"),
                (b"HELO localhost\r\n", b"250 foo.com greets localhost\r\n"),
            ],
            b"QUIT\r\n",
    );

    // RFC 5321, sections 4.2.1 (several lines), 3.1 (554) and 4.2.2; texts of Postfix and Exim.
    let banner = b"220 mail.example.com ESMTP Postfix\r\n";
    talk.states(&[
        (&[b"220-mail.example.com ESMTP Exim 4.96\r\n220-We do not authorize the use of this system\r\n220 to send spam.\r\n", b"250-mail.example.com Hello localhost\r\n250 HELP\r\n"],
         Healthy("answers")),
        (&[b"220\r\n", b"250\r\n"], Healthy("answers")),
        (&[b"421 4.3.2 All server ports are busy\r\n"], Unhealthy("the server says: 421 4.3.2 All server ports are busy")),
        (&[b"554 5.7.1 No SMTP service here\r\n"], Unhealthy("the server says: 554 5.7.1 No SMTP service here")),
        (&[b"554-mail.example.com\r\n554 Your access to this mail system has been rejected\r\n"],
         Unhealthy("the server says: 554-mail.example.com")),
        (&[banner, b"451 4.3.0 Temporary system problem. Try again later\r\n"],
         Unhealthy("the server says: 451 4.3.0 Temporary system problem. Try again later")),
        (&[banner, b"501 Syntactically invalid HELO argument(s)\r\n"], Unhealthy("the server says: 501 Syntactically invalid HELO argument(s)")),
        (&[banner, b"354 Go on\r\n"], Unhealthy("not smtp: the reply begins with 354 Go on\\r\\n")),
        // A reply code is three digits, and then a blank, a hyphen or the end of the line.
        (&[banner, b"251\r\n"], Healthy("answers")),
        (&[banner, b"25\r\n"], Unhealthy("not smtp: the reply begins with 25\\r\\n")),
        (&[banner, b"25 ok\r\n"], Unhealthy("not smtp: the reply begins with 25 ok\\r\\n")),
        (&[banner, b"25x ok\r\n"], Unhealthy("not smtp: the reply begins with 25x ok\\r\\n")),
        (&[banner, b"2550 ok\r\n"], Unhealthy("not smtp: the reply begins with 2550 ok\\r\\n")),
        (&[banner, b"250x-ok\r\n"], Unhealthy("not smtp: the reply begins with 250x-ok\\r\\n")),
        (&[banner, b"55 no\r\n"], Unhealthy("not smtp: the reply begins with 55 no\\r\\n")),
        (&[b"42 is the answer\r\n"], Unhealthy("not smtp: the reply begins with 42 is the answer\\r\\n")),
        (&[b"5540 no\r\n"], Unhealthy("not smtp: the reply begins with 5540 no\\r\\n")),
        (&[b"554\r\n"], Unhealthy("the server says: 554")),
        (&[b"* OK ready\r\n"], Unhealthy("not smtp: the reply begins with * OK ready\\r\\n")),
    ]);

    talk.endless(0, b"", b"220-and another line\r\n", TOO_LONG);
    talk.endless(1, b"", b"250-and another line\r\n", TOO_LONG);
    talk
}
