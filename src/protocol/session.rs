//! One connection that is not HTTP's: what is sent over it, what is received, and how it is closed.

use crate::deadline::Deadline;
use crate::net::{self, Opening, Stream};
use crate::target::Place;
use crate::verdict::{
    Answer, Failure, GRACE, Health, Mark, Outcome, Peer, Phase, Reply, Snippet, Trace,
};

/// Connects to `place`, and runs `probe` on the connection.
pub fn converse(
    place: &Place,
    opening: Opening,
    deadline: &Deadline,
    probe: &dyn Fn(&mut Session) -> Outcome,
) -> Answer {
    let begun = deadline.elapsed();
    let mut trace = Trace::default();
    if let Opening::Datagram(question) = opening {
        trace.request = question.to_vec();
        trace.mark(Mark::Sent, deadline);
    }
    let dialled = net::dial(place, opening, deadline);
    let (outcome, session) = match dialled {
        Ok(stream) => {
            trace.peer = Some(stream.peer().clone());
            // There are no connections over UDP.
            if trace.request.is_empty() {
                trace.mark(Mark::Connected, deadline);
            }
            let mut session = Session {
                stream,
                deadline,
                received: Vec::new(),
                goodbye: Vec::new(),
                trace,
            };
            (probe(&mut session), Ok(session))
        }
        Err(failure) => (Err(failure), Err(trace)),
    };
    let took = deadline.elapsed() - begun;
    let trace = session.map_or_else(|trace| trace, Session::close);
    Answer {
        outcome,
        took,
        trace,
    }
}

/// One connection: what was said over it, and what was received.
pub struct Session<'a> {
    stream: Stream,
    deadline: &'a Deadline,
    received: Vec<u8>,
    goodbye: Vec<u8>,
    trace: Trace,
}

/// The longest reply that is read. It must be longer than what the judges accept: MongoDB's takes up to 48 KiB.
const MAX_REPLY: usize = 64 * 1024;

/// How much is read at a time. A datagram is cut to that; DNS servers send at most so much of their own accord.
const READ: usize = 4096;

/// How much of a reply is kept for the trace.
const TRACED: usize = 1024;

impl Session<'_> {
    /// Sends `bytes`. A reset is not a failure yet: the peer may have sent its reason first.
    ///
    /// # Errors
    /// [`Failure::TimedOut`], [`Failure::Io`].
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Box<Failure>> {
        self.trace.request.extend_from_slice(bytes);
        self.send_secret(bytes)
    }

    /// Like [`Self::send`], but kept out of the trace, because it can be secret.
    ///
    /// # Errors
    /// Those of [`Self::send`].
    pub fn send_secret(&mut self, bytes: &[u8]) -> Result<(), Box<Failure>> {
        if bytes.is_empty() {
            return Ok(());
        }
        let sent = self.stream.write(bytes, self.deadline);
        self.trace.mark(Mark::Sent, self.deadline);
        match sent {
            Err(failure) if failure.is_reset() => Ok(()),
            sent => sent,
        }
    }

    /// The other end.
    pub fn peer(&self) -> &Peer {
        self.stream.peer()
    }

    /// When the conversation has to be over.
    pub fn deadline(&self) -> &Deadline {
        self.deadline
    }

    /// What has been received and not used.
    pub fn received(&self) -> &[u8] {
        &self.received
    }

    /// Forgets the first bytes of [`Self::received`].
    pub fn consume(&mut self, bytes: usize) {
        self.received.drain(..bytes);
    }

    /// Forgets all but the first bytes of [`Self::received`].
    pub fn truncate(&mut self, bytes: usize) {
        self.received.truncate(bytes);
    }

    /// Waits for more to be received. False at the end.
    ///
    /// # Errors
    /// [`Failure::LongReply`], and those of [`Stream::read`].
    pub fn receive(&mut self, phase: Phase) -> Result<bool, Box<Failure>> {
        let have = self.received.len();
        if have > MAX_REPLY {
            return Err(Box::new(Failure::LongReply(MAX_REPLY)));
        }
        let read = self
            .stream
            .read(&mut self.received, READ, phase, self.deadline)?;
        if self.trace.head.is_empty() && read > 0 {
            self.trace.mark(Mark::Reply, self.deadline);
        }
        let room = TRACED.saturating_sub(self.trace.head.len()).min(read);
        let come = &self.received[have..have + room];
        self.trace.head.extend_from_slice(come);
        Ok(read > 0)
    }

    /// Waits until `bytes` are there to be used.
    ///
    /// # Errors
    /// [`Failure::ClosedEarly`], and those of [`Self::receive`].
    pub fn receive_at_least(&mut self, bytes: usize, phase: Phase) -> Result<(), Box<Failure>> {
        while self.received().len() < bytes {
            if !self.receive(phase)? {
                return Err(self.closed_early(phase));
            }
        }
        Ok(())
    }

    /// The peer has hung up in the middle.
    pub fn closed_early(&self, phase: Phase) -> Box<Failure> {
        let got = Snippet::at_most(self.received(), 100);
        Box::new(Failure::ClosedEarly { phase, got })
    }

    /// What has been received is not what a server of `scheme` says.
    pub fn wrong_protocol(&self, scheme: &'static str) -> Box<Failure> {
        let got = Snippet::at_most(self.received(), 100);
        Box::new(Failure::WrongProtocol { scheme, got })
    }

    /// What a whole reply makes of a server of `scheme`.
    ///
    /// # Errors
    /// That it is not healthy.
    pub fn outcome(&self, reply: Reply, scheme: &'static str) -> Outcome {
        match reply {
            Reply::Ok(_) => Ok(Health::Answers),
            Reply::Refused(refusal, said) => Ok(Health::Refuses(refusal, said)),
            Reply::Unavailable(said) => Err(Box::new(Failure::Unavailable(said))),
            Reply::Incomplete | Reply::WrongProtocol => Err(self.wrong_protocol(scheme)),
        }
    }

    /// What to say when the verdict is fixed.
    pub fn set_goodbye(&mut self, goodbye: &[u8]) {
        self.goodbye = goodbye.to_vec();
    }

    /// Says goodbye, and lets the peer hang up first if it does so soon: what it sends meanwhile is read, because to
    /// close with data unread would reset the connection.
    fn close(self) -> Trace {
        let soon = self.deadline.or_within(GRACE);
        let mut scrap = Vec::new();
        if !self.goodbye.is_empty() && self.stream.write(&self.goodbye, &soon).is_ok() {
            while self
                .stream
                .read(&mut scrap, 1024, Phase::Reply, &soon)
                .is_ok_and(|read| read > 0)
            {
                scrap.clear();
            }
        }
        self.trace
    }
}
