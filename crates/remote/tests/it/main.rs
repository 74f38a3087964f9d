//! The store and the executor against real servers, and against scripted ones that misbehave.
#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure told")]

mod encrypted;
mod hostile_execution;
mod hostile_grpc;
mod hostile_http;
mod real;
mod scripted_executor;
mod scripted_grpc;
mod scripted_http;
mod stores;
