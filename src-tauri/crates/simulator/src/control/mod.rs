//! The control API under `/sim`: the same as the in-process handle, as JSON over HTTP.
//!
//! See the crate's documentation for the table of routes.

mod guard;
mod routes;

pub(crate) use routes::router;
