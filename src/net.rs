//! The sockets: dialling, reading and writing under the deadline; which addresses are this machine's; who listens.

mod dial;
mod listeners;
mod poll;

pub use dial::{Opening, Stream, dial, is_here};
pub use listeners::listeners;
pub use poll::ready;
