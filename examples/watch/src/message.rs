//! The words that people get, as Slack's incoming webhooks take them; Mattermost and Rocket.Chat take the same.

use crate::state::{Change, Message};
use std::time::Duration;

/// What a check may say: Docker keeps 4096 bytes of it, and the first hundreds have the reason.
const LINE: usize = 1000;
/// A name, or the names in a label.
const NAMES: usize = 200;

/// The JSON body. `node` is the engine's name.
pub fn body(message: &Message, node: &str, after: Duration) -> String {
    serde_json::json!({ "text": escaped(&text(message, node, after)) }).to_string()
}

/// The same for a log, on one line.
pub fn log_line(message: &Message, node: &str, after: Duration) -> String {
    text(message, node, after).replace('\n', "; ")
}

fn text(message: &Message, node: &str, after: Duration) -> String {
    let name = cut(&message.name, NAMES);
    let id: String = message.id.chars().take(12).collect();
    let service = message.service.as_deref();
    let service = service.map_or(String::new(), |name| {
        format!("service {}, ", cut(name, NAMES))
    });
    let change = match &message.change {
        Change::Ill { .. } => "is unhealthy".to_owned(),
        Change::Well { was_ill_for } => {
            format!("is healthy again, after {}", in_words(*was_ill_for))
        }
    };
    let mut text = format!("{name} ({service}container {id} on {node}) {change}");
    let line = cut(&message.line, LINE);
    if !line.is_empty() {
        text = text + "\n" + &line;
    }
    if let Change::Ill { heal } = &message.change
        && !heal.is_empty()
    {
        let names = cut(&heal.join(", "), NAMES);
        let after = in_words(after);
        text += &format!("\nto be restarted if this lasts for {after}: {names}");
    }
    if message.untold > 0 {
        let untold = message.untold;
        text += &format!("\n(it changed {untold} times more in the last minutes)");
    }
    text
}

/// What <https://docs.slack.dev/messaging/formatting-message-text> asks for. It also keeps a service from calling
/// everybody with `<!channel>`.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// At most so many characters, on one line.
fn cut(text: &str, most: usize) -> String {
    let clean = text.trim().replace(char::is_control, " ");
    match clean.char_indices().nth(most) {
        Some((at, _)) => format!("{}...", &clean[..at]),
        None => clean,
    }
}

fn in_words(time: Duration) -> String {
    match time.as_secs() {
        0 if !time.is_zero() => format!("{} ms", time.as_millis()),
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ ..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ill(line: &str) -> Message {
        Message {
            id: "0123456789abcdef".into(),
            name: "shop-a-1".into(),
            service: Some("a".into()),
            change: Change::Ill {
                heal: vec!["b".into(), "c".into()],
            },
            line: line.into(),
            untold: 0,
        }
    }

    #[test]
    fn says_who_and_what_and_what_next() {
        let after = Duration::from_secs(10);
        let line =
            "unhealthy: http://localhost/: status 503, expected 200-299; body: <b> & \"c\"\n";
        let body = body(&ill(line), "node1", after);
        let body: serde_json::Value = serde_json::from_str(&body).expect("it is JSON");
        let text = "shop-a-1 (service a, container 0123456789ab on node1) is unhealthy\n\
            unhealthy: http://localhost/: status 503, expected 200-299; body: &lt;b&gt; &amp; \"c\"\n\
            to be restarted if this lasts for 10 s: b, c";
        assert_eq!(body, serde_json::json!({ "text": text }));

        let well = Message {
            service: None,
            change: Change::Well {
                was_ill_for: Duration::from_millis(125_400),
            },
            untold: 7,
            ..ill("")
        };
        let line = "shop-a-1 (container 0123456789ab on node1) is healthy again, after 2 min 5 s; \
            (it changed 7 times more in the last minutes)";
        assert_eq!(log_line(&well, "node1", after), line);
    }

    #[test]
    fn whatever_a_check_says_is_bounded_and_on_one_line() {
        let line = "\u{1b}[31m\r\n".repeat(3000) + &"é&".repeat(9000);
        let text = text(&ill(&line), "node1", Duration::ZERO);
        assert!(text.chars().count() < 1300, "{text}");
        assert_eq!(text.lines().count(), 3);
        assert!(!text.replace('\n', "").contains(char::is_control));
    }
}
