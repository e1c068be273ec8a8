//! The supervisor with real programs: sshd, nginx, bore, and recorded agents that forward for real.

mod agents;
mod authority;
mod bore;
mod fixed;
mod launching;
mod site;
mod ssh;
mod terminal;
