//! ureq's end of a connection: the resolver, connector and transport that it is given. The only file that names
//! `ureq::unversioned`.
//!
//! A failure travels through ureq inside of a [`std::io::Error`], and comes out as it went in: [`failure_in`].

use super::body::Body;
use super::head::{self, Framing, Head, MAX_HEAD, head_in};
use crate::deadline::Deadline;
use crate::net::{Opening, Stream, dial};
use crate::target::Place;
use crate::verdict::{Failure, Mark, Phase, Snippet, Trace};
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use ureq::Error;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// Read at first: a head fits, and with it a small body. More would only touch more pages.
const READ: usize = 1024;
/// Read at once when there is that much.
const READ_MORE: usize = 16 * 1024;

/// What the exchange and its transport, which ureq owns, both need.
#[derive(Debug)]
pub struct Shared {
    /// When the exchange has to be over.
    pub deadline: Deadline,
    /// What went over the wire.
    pub trace: Trace,
    /// The connection, once it is open.
    pub stream: Option<Arc<Stream>>,
    /// A coding of the body that cannot be undone here.
    pub coding: Option<Vec<u8>>,
    /// What is left of the body.
    pub body: Body,
}

/// Reaches one place and no other, whatever it is asked for: ureq's resolver and connector in one.
#[derive(Clone)]
pub struct Dialler {
    place: Place,
    /// Whether the request is a HEAD, to which no body comes.
    to_head: bool,
    /// The longest line of the request, in bytes, at the most.
    longest_line: usize,
    shared: Arc<Mutex<Shared>>,
}

impl Dialler {
    /// Plans an exchange with `place`.
    pub fn new(place: &Place, deadline: &Deadline, to_head: bool, longest_line: usize) -> Self {
        let shared = Shared {
            deadline: *deadline,
            trace: Trace::default(),
            stream: None,
            coding: None,
            body: Body::UntilClose,
        };
        Dialler {
            place: place.clone(),
            to_head,
            longest_line,
            shared: Arc::new(Mutex::new(shared)),
        }
    }

    /// What the exchange has come to.
    pub fn shared(&self) -> MutexGuard<'_, Shared> {
        // There is one thread, and so no other that could have panicked.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark(&self, mark: Mark) {
        let mut shared = self.shared();
        let deadline = shared.deadline;
        shared.trace.mark(mark, &deadline);
    }
}

/// A failure on its way through ureq.
struct Carried(Box<Failure>);

impl std::error::Error for Carried {}

// Both are asked for by the trait, and not used. To derive them would cost kilobytes, for every type inside.
impl std::fmt::Debug for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Carried")
    }
}

impl std::fmt::Display for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Carried")
    }
}

fn carry(failure: Box<Failure>) -> Error {
    Error::Io(io::Error::other(Carried(failure)))
}

/// The failure that an error of ureq's carries; none if it is an error of its own.
pub fn failure_in(error: io::Error) -> Option<Box<Failure>> {
    let carried = error.into_inner()?.downcast::<Carried>().ok()?;
    Some(carried.0)
}

// ureq wants these two to be `Debug`, and never uses it.
impl std::fmt::Debug for Dialler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dialler")
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

impl Resolver for Dialler {
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

impl Connector for Dialler {
    type Out = Connection;

    fn connect(&self, _: &ConnectionDetails, _: Option<()>) -> Result<Option<Connection>, Error> {
        let deadline = self.shared().deadline;
        let stream = Arc::new(dial(&self.place, Opening::ClientFirst, &deadline).map_err(carry)?);
        self.mark(Mark::Connected);
        let mut shared = self.shared();
        shared.trace.peer = Some(stream.peer().clone());
        shared.stream = Some(stream.clone());
        Ok(Some(Connection {
            stream,
            dialler: self.clone(),
            output: vec![0; self.longest_line],
            unsent: Vec::new(),
            is_cut_off: false,
            input: Vec::new(),
            room: READ,
            used: 0,
            ready: 0,
            made_progress: false,
            head_is_whole: false,
            body: Body::UntilClose,
        }))
    }
}

/// ureq's transport over a [`Stream`]. It gathers the request and writes it in one piece; it hands over a response's
/// head only when that is whole, within bounds and final; then it hands over the content, and its end as the connection's
/// end; and it keeps the deadline itself, where ureq would turn an expired one into a second.
pub struct Connection {
    stream: Arc<Stream>,
    dialler: Dialler,
    output: Vec<u8>,
    unsent: Vec<u8>,
    /// Whether the peer reset the connection before it had the whole request.
    is_cut_off: bool,
    /// What has come: the beginning, until `used`, is used up, and what stands behind `ready` is not shown to ureq yet.
    input: Vec<u8>,
    used: usize,
    ready: usize,
    /// The room to read into next.
    room: usize,
    made_progress: bool,
    head_is_whole: bool,
    body: Body,
}

impl Connection {
    fn flush(&mut self) -> Result<(), Box<Failure>> {
        if self.unsent.is_empty() {
            return Ok(());
        }
        let deadline = self.dialler.shared().deadline;
        match self.stream.write(&self.unsent, &deadline) {
            // It may have answered before it had read everything: the reply comes first, the error second.
            Err(failure) if failure.is_reset() => self.is_cut_off = true,
            sent => sent?,
        }
        self.dialler.mark(Mark::Sent);
        self.dialler.shared().trace.request = std::mem::take(&mut self.unsent);
        Ok(())
    }

    /// Appends to the input what comes next; 0 at the end.
    fn read(&mut self, phase: Phase) -> Result<usize, Box<Failure>> {
        let deadline = self.dialler.shared().deadline;
        let read = self
            .stream
            .read(&mut self.input, self.room, phase, &deadline)?;
        if read >= self.room {
            self.room = READ_MORE;
        }
        Ok(read)
    }

    /// Waits for a whole, final head, and puts in its place what ureq is shown of it.
    fn await_head(&mut self) -> Result<(), Box<Failure>> {
        loop {
            let phase = match head_in(&self.input) {
                Head::Final(end) | Head::Interim(end) if end > MAX_HEAD => {
                    return Err(Box::new(Failure::LongHead));
                }
                Head::Final(end) => return self.take_head(end),
                Head::Interim(end) => {
                    self.input.drain(..end);
                    continue;
                }
                Head::NotHttp => {
                    let got = Snippet::at_most(&self.input, 100);
                    return Err(Box::new(Failure::NotHttp { got }));
                }
                Head::Partial(_) if self.input.len() > MAX_HEAD => {
                    return Err(Box::new(Failure::LongHead));
                }
                Head::Partial(phase) => phase,
            };
            let was_cut_off = self.is_cut_off && self.input.is_empty();
            match self.read(phase) {
                Ok(1..) => {}
                Ok(0) if !was_cut_off => {
                    let got = Snippet::at_most(&self.input, 100);
                    return Err(Box::new(Failure::ClosedEarly { phase, got }));
                }
                Err(failure) if !(failure.is_reset() && was_cut_off) => return Err(failure),
                // There is no reply that would say more than that the request was not wanted.
                _ => return Err(Box::new(Failure::Reset { phase: Phase::Send })),
            }
        }
    }

    fn take_head(&mut self, end: usize) -> Result<(), Box<Failure>> {
        self.head_is_whole = true;
        self.dialler.mark(Mark::Head);
        self.dialler.shared().trace.head = self.input[..end].to_vec();
        head::unfold(&mut self.input[..end]);
        let head = &self.input[..end];
        let Framing { body, coding } = head::framing(head, self.dialler.to_head)
            .map_err(|why| super::bad_head(why.to_owned(), head))?;
        self.body = body;
        self.dialler.shared().coding = coding;
        let shown = head::for_ureq(head);
        let shown_end = shown.len();
        self.input.splice(..end, shown);
        self.decode(shown_end);
        Ok(())
    }

    /// Shows ureq what has come of the content behind `from`.
    fn decode(&mut self, from: usize) {
        self.ready = self.body.decode(&mut self.input, from);
        self.dialler.shared().body = self.body;
    }

    /// Waits for more content; false at its end.
    fn await_content(&mut self) -> Result<bool, Box<Failure>> {
        self.input.drain(..self.used);
        self.ready -= self.used;
        self.used = 0;
        let shown = self.ready;
        while self.ready == shown {
            match self.body {
                Body::Broken => return Err(Box::new(Failure::BadBody)),
                body if body.is_whole() => return Ok(false),
                _ => {}
            }
            match self.read(Phase::Body)? {
                0 if self.body == Body::UntilClose => return Ok(false),
                0 => {
                    return Err(Box::new(Failure::ClosedEarly {
                        phase: Phase::Body,
                        got: Snippet::default(),
                    }));
                }
                _ => self.decode(shown),
            }
        }
        Ok(true)
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
        self.unsent.extend_from_slice(&self.output[..amount]);
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        self.flush().map_err(carry)?;
        if !self.head_is_whole {
            self.await_head().map_err(carry)?;
            return Ok(true);
        }
        match self.await_content().map_err(carry)? {
            true => Ok(true),
            // The end of a body that lasts until the connection closes, which is what ureq takes every body for.
            false => Err(Error::Io(ErrorKind::UnexpectedEof.into())),
        }
    }

    fn is_open(&mut self) -> bool {
        // Nothing is ever used twice.
        false
    }
}

impl Buffers for Connection {
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
        self.made_progress = amount > 0;
        self.used += amount;
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        // The first is for chunked requests; ours have a length.
        (&mut [], &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.made_progress && self.used < self.ready
    }
}
