//! TwiML as the simulator plays it: the document's shape and its reader.

mod conference;
mod dial;
mod document;
mod input;
mod nouns;
mod read;
mod reader;

pub(crate) use dial::{
    ApplicationNoun, Beep, ConferenceEvent, ConferenceNoun, Destination, Dial, QueueNoun, Target, Whisper,
};
pub(crate) use document::{
    CallRecording, CallbackEvent, CallbackRequest, Document, Enqueue, Gather, Record,
    RecordingCallbackRequest, RecordingEvent, RejectReason, Track, Verb,
};
pub(crate) use read::read;
