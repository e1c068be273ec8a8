//! The signalling of the Voice SDK ("PStream"): frames, sockets, registrations, and the SDK's legs.

mod caller;
mod devices;
mod frame;
mod leg;
mod media;
mod registry;
mod socket;

pub(crate) use devices::{Invitation, ring_devices};
pub(crate) use registry::{Registry, SdkRoutes};
pub(crate) use socket::serve;
