//! The end-to-end suite: the real command, real interpreters, real files. Knows the command line,
//! documented formats and exit statuses, the library face, and nothing of the crates behind them.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure told")]

mod affected;
mod archive;
mod bad_input;
mod bazel;
mod bazel_remote;
mod bazel_workspace;
mod browser;
mod buck2;
mod build;
mod cache;
mod commands;
mod compile;
mod concurrent;
mod conformance;
mod cycles;
mod deps;
mod diff;
mod doctor;
mod entry;
mod environment;
mod graph;
mod importtime;
mod importtime_page;
mod importtime_places;
mod inspect;
mod layers;
mod lock;
mod ninja;
mod normalize;
mod pack;
mod pack_clients;
mod pack_places;
mod pack_refusals;
mod pack_report;
mod pack_site;
mod pack_wheels;
mod plan;
mod provenance;
mod reapi;
mod remote;
mod remote_execution;
mod reproducible;
mod sandbox;
mod targets;
mod transcripts;
mod unprivileged;
mod verify;
mod why;
mod worker;
mod worker_bad_input;
mod worker_process;
