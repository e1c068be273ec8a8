//! TwiML as the simulator plays it: the document's shape and its reader.

mod document;
mod read;

pub(crate) use document::{CallbackEvent, CallbackRequest, Dial, Document, RejectReason, Target, Verb};
pub(crate) use read::read;
