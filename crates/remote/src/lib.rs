//! A store on another machine: the HTTP cache protocol and the Remote Execution API behind
//! [`bytekiln_cache::Store`]; and an executor there, [`RemoteExecutor`]. The only crate with an asynchronous runtime, which stays inside.
//! Knows nothing of Python.
//!
//! Whatever a server sends is checked by digest and bounded in size; what it does not do in time
//! is an error, and after one the store answers nothing more. Callers go on without it.

mod address;
mod attempt;
mod backend;
mod bundle;
mod capabilities;
mod connection;
mod execution;
mod execution_protocol;
mod executor;
mod grpc;
mod headers;
mod http_cache;
mod input_tree;
mod mapping;
mod protocol;
mod store;
mod stream;

pub use address::{AddressError, RemoteAddress};
pub use connection::ConnectError;
pub use executor::{
    ExecuteError, Executed, ExecutorOptions, ExecutorStats, RemoteAction, RemoteExecutor,
};
pub use headers::{HeaderError, RemoteHeaders};
pub use input_tree::{InputKind, InputTree};
pub use store::{RemoteOptions, RemoteStats, RemoteStore};
