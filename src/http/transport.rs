//! ureq's transport: the bytes of one exchange.
//!
//! A failure travels through ureq inside of a [`std::io::Error`], and comes out as it went in: [`failure_in`].

use super::body::Body;
use super::dialler::Dialler;
use super::framing::{Framing, framing};
use super::head::{self, Head, MAX_HEAD, head_in};
use crate::net::Stream;
use crate::verdict::{Failure, Mark, Phase, Snippet};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use ureq::Error;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

/// How much is read at first: room for a head and a small body. More would only touch more pages of memory.
const READ: usize = 1024;
/// How much is read next, once a read has filled its room.
const READ_MORE: usize = 16 * 1024;

/// ureq's transport over a [`Stream`]. It gathers the request and writes it in one piece. It shows ureq the head of the
/// response only when that is whole, within bounds and final; then the content, whose end is to ureq the connection's end.
/// It keeps the deadline itself, because ureq would turn an expired one into a second.
pub struct Connection {
    stream: Arc<Stream>,
    dialler: Dialler,
    output: Vec<u8>,
    unsent: Vec<u8>,
    /// Whether the peer reset the connection before it had the whole request.
    is_cut_off: bool,
    /// What has come: ureq has consumed it up to `used`, and is shown it up to `ready`.
    input: Vec<u8>,
    used: usize,
    ready: usize,
    /// How much to read next.
    room: usize,
    made_progress: bool,
    head_is_whole: bool,
    body: Body,
}

// ureq asks for it, and never uses it.
impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

impl Connection {
    /// A connection over which nothing has gone yet.
    pub fn new(stream: Arc<Stream>, dialler: Dialler, longest_line: usize) -> Self {
        Connection {
            stream,
            dialler,
            output: vec![0; longest_line],
            unsent: Vec::new(),
            is_cut_off: false,
            input: Vec::new(),
            room: READ,
            used: 0,
            ready: 0,
            made_progress: false,
            head_is_whole: false,
            body: Body::UntilClose,
        }
    }

    fn flush(&mut self) -> Result<(), Box<Failure>> {
        if self.unsent.is_empty() {
            return Ok(());
        }
        let deadline = self.dialler.shared().deadline;
        match self.stream.write(&self.unsent, &deadline) {
            // The peer may have answered before it had read everything: its reply is judged, and not this error.
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

    /// Waits for a whole, final head, and replaces it by what ureq is shown.
    fn await_head(&mut self) -> Result<(), Box<Failure>> {
        loop {
            let phase = match head_in(&self.input) {
                Head::Final(end) | Head::Interim(end) if end > MAX_HEAD => {
                    return Err(Box::new(Failure::LongHead));
                }
                Head::Final(end) => return self.take_head(end),
                Head::Interim(end) => {
                    // In the memory of the one before: there can be any number, and the allocator takes nothing back.
                    let head = &mut self.dialler.shared().trace.head;
                    head.clear();
                    head.extend(self.input.drain(..end));
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
                Err(failure) if !(failure.is_reset() && was_cut_off) => {
                    if !self.input.is_empty() {
                        self.dialler.shared().trace.head = std::mem::take(&mut self.input);
                    }
                    return Err(failure);
                }
                // No reply came that would say why the request was cut off.
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
        let bad_head = |why: &str| super::bad_head(why.to_owned(), head);
        let Framing { body, coding } = framing(head, self.dialler.to_head).map_err(bad_head)?;
        let shown = head::for_ureq(head).map_err(bad_head)?;
        self.body = body;
        self.dialler.shared().coding = coding;
        let shown_end = shown.len();
        self.input.splice(..end, shown);
        self.decode(shown_end);
        Ok(())
    }

    /// Decodes what has come from `from` on, and shows ureq its content.
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
            // To ureq, every body ends at end of file.
            false => Err(Error::Io(ErrorKind::UnexpectedEof.into())),
        }
    }

    fn is_open(&mut self) -> bool {
        // No connection is reused.
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

/// A failure on its way through ureq.
struct Carried(Box<Failure>);

impl std::error::Error for Carried {}

// The trait asks for both, and neither is used. To derive them would cost kilobytes, for every type inside.
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

/// An error of ureq that carries `failure`.
pub fn carry(failure: Box<Failure>) -> Error {
    Error::Io(io::Error::other(Carried(failure)))
}

/// The failure that an error of ureq's carries; none if it is an error of its own.
pub fn failure_in(error: io::Error) -> Option<Box<Failure>> {
    let carried = error.into_inner()?.downcast::<Carried>().ok()?;
    Some(carried.0)
}
