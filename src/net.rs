//! Loopback or nothing: resolving without files or DNS, dialling TCP and unix sockets under the deadline, and the
//! resolver and connector that ureq is given. The only file that names `ureq::unversioned`.

use crate::check::{Host, Place};
use crate::deadline::{Deadline, Expired};
use crate::verdict::{Failure, Mark, Peer, Phase, Protocol, Snippet, Trace};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use ureq::http::{HeaderValue, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Agent, Error};

/// Whether `ip` is an address of this machine. Loopback is; of another address the routing table is asked, by
/// connecting a UDP socket, which sends nothing: the kernel answers with the source address that it would use, and
/// that is the address itself only where it is local. (Binding would be fooled by `ip_nonlocal_bind`.)
pub fn is_here(ip: IpAddr) -> bool {
    if ip.to_canonical().is_loopback() {
        return true;
    }
    let source = || {
        // The port does not matter: 9 is "discard".
        let address = SocketAddr::new(ip, 9);
        let socket = socket(family(address), SocketType::DGRAM)?;
        rustix::net::connect(&socket, &address)?;
        SocketAddr::try_from(rustix::net::getsockname(&socket)?)
    };
    source().is_ok_and(|source| source.ip() == ip)
}

fn family(address: SocketAddr) -> AddressFamily {
    if address.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    }
}

fn socket(family: AddressFamily, kind: SocketType) -> Result<OwnedFd, Errno> {
    rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None)
}

/// The addresses to try, in order.
fn addresses(host: Host, port: u16) -> impl Iterator<Item = SocketAddr> {
    let both = match host {
        Host::Localhost => [
            Some(Ipv4Addr::LOCALHOST.into()),
            Some(Ipv6Addr::LOCALHOST.into()),
        ],
        Host::Ip(ip) => [Some(ip), None],
    };
    both.into_iter()
        .flatten()
        .map(move |ip: IpAddr| SocketAddr::new(ip, port))
}

/// A connection to a target.
#[derive(Debug)]
pub struct Stream {
    fd: OwnedFd,
    peer: Peer,
}

fn unreachable(peer: Peer, errno: Errno) -> Failure {
    Failure::Unreachable {
        peer,
        errno: errno.raw_os_error(),
    }
}

fn timed_out(peer: Peer) -> Failure {
    Failure::TimedOut {
        phase: Phase::Connect,
        peer: Some(peer),
    }
}

/// Connects to `place`.
///
/// # Errors
/// [`Failure`], for the last address tried, or for all that refused.
pub fn dial(place: &Place, deadline: &Deadline) -> Result<Stream, Box<Failure>> {
    match place {
        Place::Unix(path) => {
            let peer = Peer::Unix(path.clone());
            let connected = match SocketAddrUnix::new(path.as_path()) {
                Ok(address) => connected(AddressFamily::UNIX, &address, deadline),
                Err(errno) => Err(Ok(errno)),
            };
            Err(Box::new(match connected {
                Ok(fd) => return Ok(Stream { fd, peer }),
                Err(Ok(Errno::CONNREFUSED)) => Failure::Refused(vec![peer]),
                Err(Ok(errno)) => unreachable(peer, errno),
                Err(Err(Expired)) => timed_out(peer),
            }))
        }
        &Place::Tcp(Host::Ip(ip), _) if !is_here(ip) => Err(Box::new(Failure::NotThisMachine(ip))),
        &Place::Tcp(host, port) => {
            let mut refused = Vec::new();
            let mut failure = None;
            for address in addresses(host, port) {
                let peer = Peer::Tcp(address);
                match connected(family(address), &address, deadline) {
                    Ok(fd) => return Ok(Stream { fd, peer }),
                    Err(Ok(Errno::CONNREFUSED)) => refused.push(peer),
                    Err(Ok(errno)) => {
                        failure.get_or_insert(unreachable(peer, errno));
                    }
                    Err(Err(Expired)) => return Err(Box::new(timed_out(peer))),
                }
            }
            // A machine without IPv6 says so of ::1: that somebody refused is the news.
            let failure = failure.filter(|_| refused.is_empty());
            Err(Box::new(failure.unwrap_or(Failure::Refused(refused))))
        }
    }
}

/// A blocking socket whose `connect` ends with the deadline: `SO_SNDTIMEO` bounds it on Linux, for unix sockets too,
/// where a full accept queue would otherwise hold it for ever.
fn connected(
    family: AddressFamily,
    address: &impl rustix::net::addr::SocketAddrArg,
    deadline: &Deadline,
) -> Result<OwnedFd, Result<Errno, Expired>> {
    let fd = socket(family, SocketType::STREAM).map_err(Ok)?;
    loop {
        let left = deadline.remaining().map_err(Err)?;
        set_socket_timeout(&fd, Timeout::Send, Some(left)).map_err(Ok)?;
        match rustix::net::connect(&fd, address) {
            Ok(()) | Err(Errno::ISCONN) => return Ok(fd),
            // The time is up, or nearly so: the clock decides.
            Err(Errno::INPROGRESS | Errno::ALREADY | Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => return Err(Ok(errno)),
        }
    }
}

impl Stream {
    /// Whom this is connected to.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Reads what has come, or waits for it; 0 at the end. `phase` is what a failure is said to have happened in.
    ///
    /// # Errors
    /// [`Failure::TimedOut`], [`Failure::Reset`], [`Failure::Io`].
    pub fn read(
        &self,
        buffer: &mut [u8],
        phase: Phase,
        deadline: &Deadline,
    ) -> Result<usize, Box<Failure>> {
        loop {
            let left = deadline
                .remaining()
                .map_err(|Expired| self.timed_out(phase))?;
            set_socket_timeout(&self.fd, Timeout::Recv, Some(left))
                .map_err(|errno| io(phase, errno))?;
            match rustix::net::recv(&self.fd, &mut *buffer, RecvFlags::empty()) {
                Ok((read, _)) => return Ok(read),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(io(phase, errno)),
            }
        }
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// [`Failure::TimedOut`], [`Failure::Reset`], [`Failure::Io`].
    pub fn write(&self, mut bytes: &[u8], deadline: &Deadline) -> Result<(), Box<Failure>> {
        // A request fits the socket's buffer, so the first try need not be told how long it may wait.
        let mut flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        loop {
            match rustix::net::send(&self.fd, bytes, flags) {
                Ok(written) if written == bytes.len() => return Ok(()),
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(io(Phase::Send, errno)),
            }
            let left = deadline
                .remaining()
                .map_err(|Expired| self.timed_out(Phase::Send))?;
            set_socket_timeout(&self.fd, Timeout::Send, Some(left))
                .map_err(|errno| io(Phase::Send, errno))?;
            flags = SendFlags::NOSIGNAL;
        }
    }

    fn timed_out(&self, phase: Phase) -> Box<Failure> {
        Box::new(Failure::TimedOut {
            phase,
            peer: Some(self.peer.clone()),
        })
    }
}

fn io(phase: Phase, errno: Errno) -> Box<Failure> {
    Box::new(match errno {
        Errno::CONNRESET | Errno::PIPE => Failure::Reset { phase },
        errno => Failure::Io {
            phase,
            errno: errno.raw_os_error(),
        },
    })
}

/// The longest head: 64 KiB of header fields below a status line.
pub const MAX_HEAD: usize = 65 * 1024;
/// The longest line between the chunks of a body: a size with its extensions, or a trailer field.
const MAX_LINE: usize = 4 * 1024;
/// Read at once: a head, and with it a small body, fit into the first; more would only touch more pages.
const READ_HEAD: usize = 1024;
/// The same for a body that somebody wants.
const READ_BODY: usize = 16 * 1024;
/// ureq takes 128 header fields. From here on, only those that matter are handed to it.
const MANY_FIELDS: usize = 120;

/// What an exchange over ureq shares with whoever planned it.
#[derive(Debug)]
pub struct Record {
    deadline: Deadline,
    /// Why the transport gave up: ureq's own error would say less.
    pub failure: Option<Box<Failure>>,
    /// What went over the wire.
    pub trace: Trace,
}

/// One exchange's place, deadline and record: ureq's resolver and connector in one.
#[derive(Clone)]
pub struct Wire {
    place: Place,
    /// The header that `--expect-header` asks for, in lower case.
    wanted: Option<String>,
    /// The longest line of the request, in bytes, at the most.
    longest_line: usize,
    /// Header values that nothing may print.
    secrets: Vec<HeaderValue>,
    record: Arc<Mutex<Record>>,
}

impl Wire {
    /// Plans an exchange with `place`.
    pub fn new(
        place: &Place,
        deadline: &Deadline,
        wanted: Option<&str>,
        longest_line: usize,
        secrets: Vec<HeaderValue>,
    ) -> Self {
        Wire {
            place: place.clone(),
            secrets,
            wanted: wanted.map(str::to_ascii_lowercase),
            longest_line,
            record: Arc::new(Mutex::new(Record {
                deadline: *deadline,
                failure: None,
                trace: Trace::default(),
            })),
        }
    }

    /// An agent that reaches this place and no other, whatever it is asked for.
    pub fn agent(&self) -> Agent {
        let config = Agent::config_builder()
            // Containers carry proxy variables; a check must not follow them.
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true)
            .max_idle_connections(0)
            // The transport below bounds the head and keeps the deadline.
            .max_response_header_size(usize::MAX)
            .build();
        Agent::with_parts(config, self.clone(), self.clone())
    }

    /// What has been recorded so far.
    pub fn record(&self) -> MutexGuard<'_, Record> {
        // There is one thread, and so no other that could have panicked.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, whatever is left to do has only this long.
    pub fn hurry(&self, grace: Duration) {
        let mut record = self.record();
        record.deadline = record.deadline.or_within(grace);
    }

    fn deadline(&self) -> Deadline {
        self.record().deadline
    }

    fn mark(&self, mark: Mark) {
        let deadline = self.deadline();
        self.record().trace.mark(mark, &deadline);
    }

    fn fail(&self, failure: Box<Failure>) -> Error {
        self.record().failure.get_or_insert(failure);
        Error::ConnectionFailed
    }
}

// ureq wants these two to be `Debug`, and never uses it. To derive it would cost 4 KB, for every type inside.
impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}

impl Resolver for Wire {
    fn resolve(
        &self,
        _: &Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        // `connect` dials the place, not what a URL says.
        Ok(self.empty())
    }
}

impl Connector for Wire {
    type Out = Line;

    fn connect(&self, _: &ConnectionDetails, _: Option<()>) -> Result<Option<Line>, Error> {
        let stream = dial(&self.place, &self.deadline()).map_err(|failure| self.fail(failure))?;
        self.mark(Mark::Connected);
        self.record().trace.peer = Some(stream.peer.clone());
        Ok(Some(Line {
            stream,
            wire: self.clone(),
            output: vec![0; self.longest_line],
            unsent: Vec::new(),
            cut_off: false,
            input: Vec::new(),
            used: 0,
            ready: 0,
            progress: false,
            head_is_whole: false,
            chunk: None,
        }))
    }
}

/// ureq's transport over a [`Stream`]. It gathers the request and writes it in one piece; it hands over a response's
/// head only when that is whole, within bounds and final, so that ureq never sees a 1xx; and it keeps the deadline
/// itself, where ureq would turn an expired one into a second.
pub struct Line {
    stream: Stream,
    wire: Wire,
    output: Vec<u8>,
    unsent: Vec<u8>,
    /// Whether the peer reset the connection before it had the whole request.
    cut_off: bool,
    /// What has come: ureq has used the beginning, and is not shown the end.
    input: Vec<u8>,
    used: usize,
    ready: usize,
    progress: bool,
    head_is_whole: bool,
    /// Where in a chunked body the input ends.
    chunk: Option<Chunk>,
}

impl Line {
    fn flush(&mut self) -> Result<(), Error> {
        if self.unsent.is_empty() {
            return Ok(());
        }
        match self.stream.write(&self.unsent, &self.wire.deadline()) {
            // It may have answered before it had read everything: the reply comes first, the error second.
            Err(failure) if failure.is_reset() => self.cut_off = true,
            Err(failure) => return Err(self.wire.fail(failure)),
            Ok(()) => {}
        }
        self.wire.mark(Mark::Sent);
        self.wire.record().trace.request = std::mem::take(&mut self.unsent);
        Ok(())
    }

    /// Appends to the input what comes next; 0 at the end.
    fn read(&mut self, phase: Phase) -> Result<usize, Box<Failure>> {
        let have = self.input.len();
        let more = if phase == Phase::Body {
            READ_BODY
        } else {
            READ_HEAD
        };
        self.input.resize(have + more, 0);
        let read = self
            .stream
            .read(&mut self.input[have..], phase, &self.wire.deadline());
        self.input.truncate(have + *read.as_ref().unwrap_or(&0));
        for secret in &self.wire.secrets {
            let secret = secret.as_bytes();
            mask(&mut self.input[have.saturating_sub(secret.len())..], secret);
        }
        read
    }

    /// Shows ureq what has come of the body since the input ended at `from`.
    fn make_ready(&mut self, from: usize) {
        self.ready = match &mut self.chunk {
            Some(chunk) => strip_chunks(chunk, &mut self.input, from),
            None => self.input.len(),
        };
    }

    fn await_head(&mut self) -> Result<(), Box<Failure>> {
        loop {
            let phase = match head_in(&self.input) {
                Head::Final(end) | Head::Interim(end) if end > MAX_HEAD => {
                    return Err(Box::new(Failure::LongHead));
                }
                Head::Final(end) => {
                    self.head_is_whole = true;
                    self.wire.mark(Mark::Head);
                    self.wire.record().trace.head = self.input[..end].to_vec();
                    unfold(&mut self.input[..end]);
                    let end = thin_out(&mut self.input, end, self.wire.wanted.as_deref());
                    self.chunk = is_chunked(&self.input[..end]).then_some(Chunk::Size);
                    self.make_ready(end);
                    return Ok(());
                }
                Head::Interim(end) => {
                    self.input.drain(..end);
                    continue;
                }
                Head::NotHttp => {
                    let like = Protocol::of(&self.input).filter(|&like| like != Protocol::Http);
                    return Err(Box::new(Failure::NotHttp {
                        got: Snippet::at_most(&self.input, 100),
                        like,
                    }));
                }
                Head::Partial(_) if self.input.len() > MAX_HEAD => {
                    return Err(Box::new(Failure::LongHead));
                }
                Head::Partial(phase) => phase,
            };
            match self.read(phase) {
                Ok(0) => {
                    let got = Snippet::at_most(&self.input, 100);
                    return Err(Box::new(match self.cut_off && got.is_empty() {
                        true => Failure::Reset { phase: Phase::Send },
                        false => Failure::ClosedEarly { phase, got },
                    }));
                }
                Ok(_) => {}
                Err(failure) => {
                    let sending = failure.is_reset() && self.cut_off && self.input.is_empty();
                    return Err(if sending {
                        Box::new(Failure::Reset { phase: Phase::Send })
                    } else {
                        failure
                    });
                }
            }
        }
    }
}

impl Transport for Line {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
        self.unsent.extend_from_slice(&self.output[..amount]);
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        self.flush()?;
        if !self.head_is_whole {
            return self
                .await_head()
                .map(|()| true)
                .map_err(|failure| self.wire.fail(failure));
        }
        self.input.drain(..self.used);
        self.ready -= self.used;
        self.used = 0;
        let shown = self.ready;
        // To ureq, no more input is the end.
        while self.ready == shown {
            if let Some(Chunk::Broken) = self.chunk {
                return Err(self.wire.fail(Box::new(Failure::BadBody)));
            }
            match self.read(Phase::Body) {
                // The two ends that ureq knows: it decides whether the body was complete.
                Ok(0) => return Err(Error::Io(std::io::ErrorKind::UnexpectedEof.into())),
                Ok(_) => self.make_ready(shown),
                Err(failure) if failure.is_reset() => {
                    self.wire.fail(failure);
                    return Err(Error::Io(std::io::ErrorKind::ConnectionReset.into()));
                }
                Err(failure) => return Err(self.wire.fail(failure)),
            }
        }
        Ok(true)
    }

    fn is_open(&mut self) -> bool {
        // Nothing is ever used twice.
        false
    }
}

impl Buffers for Line {
    fn output(&mut self) -> &mut [u8] {
        &mut self.output
    }

    fn input(&self) -> &[u8] {
        &self.input[self.used..self.ready]
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        // Only transports call this, and this one does not.
        &mut []
    }

    fn input_appended(&mut self, _: usize) {}

    fn input_consume(&mut self, amount: usize) {
        self.progress = amount > 0;
        self.used += amount;
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        // The first is for chunked requests; ours have a length.
        (&mut [], &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.progress && self.used < self.ready
    }
}

enum Head {
    /// A final response's head ends here.
    Final(usize),
    /// A 1xx response's head ends here.
    Interim(usize),
    /// More is needed; a deadline would fall into this phase.
    Partial(Phase),
    /// It begins with something else than a status line.
    NotHttp,
}

/// Looks for a whole head at the beginning of `input`, by lines that end in LF or CR LF.
fn head_in(input: &[u8]) -> Head {
    let form = |at: usize, byte: u8| match at {
        0..7 => byte == b"HTTP/1."[at],
        7 | 10 | 11 => byte.is_ascii_digit(),
        8 => byte == b' ',
        9 => matches!(byte, b'1'..=b'9'),
        12 => matches!(byte, b' ' | b'\r' | b'\n'),
        _ => true,
    };
    if !input
        .iter()
        .take(13)
        .enumerate()
        .all(|(at, &byte)| form(at, byte))
    {
        return Head::NotHttp;
    }
    let mut phase = Phase::StatusLine;
    let mut line = 0;
    while let Some(length) = input[line..].iter().position(|&byte| byte == b'\n') {
        let next = line + length + 1;
        if phase == Phase::Headers && matches!(&input[line..next], b"\n" | b"\r\n") {
            return if input[9] == b'1' {
                Head::Interim(next)
            } else {
                Head::Final(next)
            };
        }
        phase = Phase::Headers;
        line = next;
    }
    Head::Partial(phase)
}

/// Joins folded lines, as RFC 9112, section 5.2 has a client do: ureq refuses them.
fn unfold(head: &mut [u8]) {
    let mut fields = false;
    for at in 1..head.len() {
        if head[at - 1] != b'\n' {
            continue;
        }
        // The first line is the status line, and nothing continues that.
        if fields && matches!(head[at], b' ' | b'\t') {
            head[at - 1] = b' ';
            if head[at - 2] == b'\r' {
                head[at - 2] = b' ';
            }
        }
        fields = true;
    }
}

/// The name of the field in `line`.
fn name_of(line: &[u8]) -> &[u8] {
    line.split(|&byte| byte == b':').next().unwrap_or_default()
}

/// Blackens every `secret` in what came: a service that echoes the request must not write our credentials into a log.
fn mask(input: &mut [u8], secret: &[u8]) {
    let mut from = 0;
    while let Some(at) = input[from..]
        .windows(secret.len().max(1))
        .position(|window| window == secret)
    {
        input[from + at..][..secret.len()].fill(b'*');
        from += at + secret.len();
    }
}

/// Drops the fields that nobody asks about from a head that has more of them than ureq takes, and returns its new end.
fn thin_out(input: &mut Vec<u8>, end: usize, wanted: Option<&str>) -> usize {
    let lines = || input[..end].split_inclusive(|&byte| byte == b'\n');
    if lines().count() <= MANY_FIELDS {
        return end;
    }
    let kept = |line: &[u8]| {
        let known = [
            "content-length",
            "transfer-encoding",
            "connection",
            "location",
        ];
        line.iter().all(|byte| matches!(byte, b'\r' | b'\n'))
            || known
                .into_iter()
                .chain(wanted)
                .any(|known| name_of(line).eq_ignore_ascii_case(known.as_bytes()))
    };
    let mut head: Vec<u8> = Vec::new();
    for (at, line) in lines().enumerate() {
        if at == 0 || kept(line) {
            head.extend_from_slice(line);
        }
    }
    let thin = head.len();
    head.extend_from_slice(&input[end..]);
    *input = head;
    thin
}

/// Whether ureq will take the body for a chunked one.
fn is_chunked(head: &[u8]) -> bool {
    let mut lines = head.split(|&byte| byte == b'\n');
    head.starts_with(b"HTTP/1.1")
        && lines.any(|line| {
            let name = name_of(line);
            let mut codings = line[name.len()..].split(|byte| matches!(byte, b':' | b','));
            name.eq_ignore_ascii_case(b"transfer-encoding")
                && codings.any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"chunked"))
        })
}

/// What comes next in a chunked body.
#[derive(Clone, Copy)]
enum Chunk {
    Size,
    /// So many bytes of data, and then the end of their line.
    Data(u64),
    DataEnd,
    Trailer,
    /// What follows is no part of the body.
    Over,
    /// What came is not chunked.
    Broken,
}

/// Strips a chunked body, from `from` on, of what ureq stumbles over, and returns the end of what it can take: a line
/// that has not come whole stays behind that. ureq refuses size lines of more than 20 bytes, extensions included, takes
/// `+5` for a size, and waits for ever behind a stray CR.
fn strip_chunks(chunk: &mut Chunk, input: &mut Vec<u8>, from: usize) -> usize {
    let (mut read, mut write) = (from, from);
    while read < input.len() && !matches!(chunk, Chunk::Over | Chunk::Broken) {
        let rest = &input[read..];
        if let Chunk::Data(left) = *chunk {
            let length = rest.len().min(left.try_into().unwrap_or(usize::MAX));
            *chunk = match left - length as u64 {
                0 => Chunk::DataEnd,
                left => Chunk::Data(left),
            };
            input.copy_within(read..read + length, write);
            (read, write) = (read + length, write + length);
            continue;
        }
        let mut line = rest.iter().take(MAX_LINE);
        let Some(end) = line.position(|&byte| byte == b'\n') else {
            if rest.len() >= MAX_LINE {
                *chunk = Chunk::Broken;
            }
            break;
        };
        let (kept, next) = match (*chunk, rest[..end].strip_suffix(b"\r")) {
            (Chunk::Size, Some(line)) => match size_in(line) {
                Some((digits, 0)) => (Some(digits), Chunk::Trailer),
                Some((digits, size)) => (Some(digits), Chunk::Data(size)),
                None => (None, Chunk::Broken),
            },
            (Chunk::DataEnd, Some(b"")) => (Some(0..0), Chunk::Size),
            (Chunk::Trailer, Some(b"")) => (Some(0..0), Chunk::Over),
            (Chunk::Trailer, Some(_)) => (None, Chunk::Trailer),
            _ => (None, Chunk::Broken),
        };
        if let Some(kept) = kept {
            input.copy_within(read + kept.start..read + kept.end, write);
            write += kept.len() + 2;
            input[write - 2..write].copy_from_slice(b"\r\n");
        }
        read += end + 1;
        *chunk = next;
    }
    match chunk {
        // Nothing of what came with it is believed.
        Chunk::Broken => input.truncate(from),
        Chunk::Over => input.truncate(write),
        _ => drop(input.drain(write..read)),
    }
    write.min(input.len())
}

/// The size in a chunk's first line, and where its digits are, without zeros that are too many.
fn size_in(line: &[u8]) -> Option<(Range<usize>, u64)> {
    let digits = line.split(|&byte| byte == b';').next()?.trim_ascii_end();
    // Rust would take a sign, as ureq does.
    if digits.starts_with(b"+") {
        return None;
    }
    let size = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    Some((digits.len().saturating_sub(16)..digits.len(), size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_found_whole_and_final() {
        let state = |input: &str| match head_in(input.as_bytes()) {
            Head::Final(end) => format!("final {end}"),
            Head::Interim(end) => format!("interim {end}"),
            Head::Partial(phase) => format!("{phase:?}"),
            Head::NotHttp => "not http".into(),
        };
        assert_eq!(state(""), "StatusLine");
        assert_eq!(state("HTTP/1.1 200 OK\r\n\r\nbody"), "final 19");
        assert_eq!(state("HTTP/1.0 200\n\n"), "final 14");
        assert_eq!(state("HTTP/1.1 200 \r\nA: b\n\r\n"), "final 22");
        assert_eq!(
            state("HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP"),
            "interim 31"
        );
        assert_eq!(state("HTTP/1.1 200 OK"), "StatusLine");
        assert_eq!(state("HTTP/1.1 200 OK\r\nA: b\r\n"), "Headers");
        for junk in [
            "\r\n",
            "SSH-2.0",
            "HTTP/2 200",
            "HTTP/1.1 20 OK",
            "HTTP/1.1 2000",
            "HTTP/1.1  200",
            "http/1.1 200",
            "HTTP/1.1 099 x",
            "HTTP/1.x 200",
            "HTTP/1.1 200OK",
            "\x16\x03",
            "ICY 200 OK",
        ] {
            assert_eq!(state(junk), "not http", "{junk:?}");
        }
    }

    #[test]
    fn a_crowd_of_fields_is_thinned_to_those_that_matter() {
        let mut input = b"HTTP/1.1 200 OK\r\n".to_vec();
        for i in 0..1000 {
            input.extend_from_slice(format!("X-{i}: y\r\n").as_bytes());
        }
        input.extend_from_slice(b"Content-LENGTH: 2\r\nX-Me: yes\r\n\r\n");
        let end = input.len();
        input.extend_from_slice(b"UP");
        let end = thin_out(&mut input, end, Some("x-me"));
        let (head, body) = input.split_at(end);
        assert_eq!(
            head,
            b"HTTP/1.1 200 OK\r\nContent-LENGTH: 2\r\nX-Me: yes\r\n\r\n"
        );
        assert_eq!(body, b"UP");
    }

    #[test]
    fn folded_lines_are_joined() {
        for (head, joined) in [
            (
                "HTTP/1.1 200 OK\r\nA: b\r\n c\n\td\r\nE:\r\n f\r\n\r\n",
                "HTTP/1.1 200 OK\r\nA: b   c \td\r\nE:   f\r\n\r\n",
            ),
            // Nothing continues a status line.
            (
                "HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
                "HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
            ),
        ] {
            let mut head = head.as_bytes().to_vec();
            unfold(&mut head);
            assert_eq!(head, joined.as_bytes());
        }
    }

    /// What ureq is shown of a body that comes in pieces of so many bytes; none if it is broken.
    fn stripped(body: &str, piece: usize) -> Option<String> {
        let (mut chunk, mut input, mut ready) = (Chunk::Size, Vec::new(), 0);
        for piece in body.as_bytes().chunks(piece) {
            input.extend_from_slice(piece);
            ready = strip_chunks(&mut chunk, &mut input, ready);
        }
        input.truncate(ready);
        match chunk {
            Chunk::Broken => None,
            _ => String::from_utf8(input).ok(),
        }
    }

    #[test]
    fn chunks_are_stripped() {
        let extension = "x".repeat(MAX_LINE / 2);
        for (body, bare) in [
            (
                "2\r\nUP\r\n0A\r\n0123456789\r\n",
                "2\r\nUP\r\n0A\r\n0123456789\r\n",
            ),
            (&format!("2 ; a=\"{extension}\"\r\nUP\r\n0"), "2\r\nUP\r\n"),
            (
                &format!("{}2\r\nUP", "0".repeat(30)),
                "0000000000000002\r\nUP",
            ),
            (
                "1\r\n\n\r\n0;x\r\nX-A: b\r\nX\rB\r\n\r\njunk\n",
                "1\r\n\n\r\n0\r\n\r\n",
            ),
            ("ffffffffffffffff\r\nUP", "ffffffffffffffff\r\nUP"),
            ("2\r\nUP\r\n3\r", "2\r\nUP\r\n"),
        ] {
            for piece in [1, 2, 3, usize::MAX] {
                assert_eq!(
                    stripped(body, piece).as_deref(),
                    Some(bare),
                    "{piece}: {body:?}"
                );
            }
        }
        let extension = "x".repeat(MAX_LINE);
        for broken in [
            "\r\n",
            "x\r\n",
            "+2\r\n",
            "-2\r\n",
            " 2\r\n",
            "0x2\r\n",
            "2 2\r\n",
            "2\n",
            "2\rUP\r\n",
            ";a\r\n",
            "10000000000000000\r\n",
            "2\r\nUPX\r\n",
            "3\r\nUP\r\n0\r\n\r\n",
            "0\r\nX: y\n",
            &format!("2;{extension}"),
        ] {
            for piece in [1, 2, 3, usize::MAX] {
                assert_eq!(stripped(broken, piece), None, "{piece}: {broken:?}");
            }
        }
    }

    #[test]
    fn only_this_machine_is_here() {
        for here in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"] {
            assert!(is_here(here.parse().unwrap()), "{here}");
        }
        // Documentation, multicast, broadcast.
        for elsewhere in [
            "192.0.2.1",
            "2001:db8::1",
            "224.0.0.1",
            "255.255.255.255",
            "ff02::1",
        ] {
            assert!(!is_here(elsewhere.parse().unwrap()), "{elsewhere}");
        }
    }
}
