//! ureq's end of a connection: the resolver, connector and transport that it is given, and what an exchange leaves behind.
//! The only file that names `ureq::unversioned`.

use super::reply::{
    Chunk, Head, MAX_HEAD, Whole, head_in, is_chunked, mask, strip_chunks, thin_out, token, unfold,
};
use super::{First, Stream, dial};
use crate::check::Place;
use crate::deadline::Deadline;
use crate::verdict::{Failure, Mark, Phase, Protocol, Snippet, Trace};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use ureq::http::{HeaderValue, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Agent, Error};

/// Read at first: a head fits, and with it a small body. More would only touch more pages.
const READ: usize = 1024;
/// Read at once when there is that much.
const READ_MORE: usize = 16 * 1024;

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
        let stream = dial(&self.place, First::Ours, &self.deadline())
            .map_err(|failure| self.fail(failure))?;
        self.mark(Mark::Connected);
        self.record().trace.peer = Some(stream.peer.clone());
        Ok(Some(Line {
            stream,
            wire: self.clone(),
            output: vec![0; self.longest_line],
            unsent: Vec::new(),
            cut_off: false,
            input: Vec::new(),
            more: READ,
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
    /// The room to read into next.
    more: usize,
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
        let deadline = self.wire.deadline();
        let read = self
            .stream
            .read(&mut self.input, self.more, phase, &deadline)?;
        if read >= self.more {
            self.more = READ_MORE;
        }
        for secret in &self.wire.secrets {
            let secret = token(secret.as_bytes());
            mask(&mut self.input[have.saturating_sub(secret.len())..], secret);
        }
        Ok(read)
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
                Head::Final(Whole { end, .. }) | Head::Interim(end) if end > MAX_HEAD => {
                    return Err(Box::new(Failure::LongHead));
                }
                Head::Final(head) => {
                    let mut end = head.end;
                    self.head_is_whole = true;
                    self.wire.mark(Mark::Head);
                    self.wire.record().trace.head = self.input[..end].to_vec();
                    if head.is_folded {
                        unfold(&mut self.input[..end]);
                    }
                    if head.is_crowded {
                        end = thin_out(&mut self.input, end, self.wire.wanted.as_deref());
                    }
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
