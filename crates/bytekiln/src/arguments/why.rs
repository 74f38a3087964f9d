//! `bytekiln why`: what may be typed.

use std::num::NonZeroUsize;

use clap::Args;

use super::{GraphSelection, PlanFormat};

/// `why`.
#[derive(Debug, Args)]
#[command(after_help = "\
A and B are modules (app.main), files, folders, or members (member:core); of several modules the nearest \
two are taken. If A is B, the shortest way round is looked for.

Examples:
  bytekiln why app.main requests
  bytekiln why app.cli app.models --all
  bytekiln why member:web member:billing --imports eager

Exit status: 0 there is a chain; 1 there is none; 2 there is no such module, or wrong arguments; 3 the \
environment lacks something.")]
pub struct WhyArguments {
    /// Who imports
    #[arg(value_name = "A")]
    pub from: String,
    /// What is imported
    #[arg(value_name = "B")]
    pub to: String,
    /// Show every shortest chain
    #[arg(short, long, help_heading = "Answer")]
    pub all: bool,
    /// With --all: no more chains than this
    #[arg(long, value_name = "N", default_value = "50", help_heading = "Answer")]
    pub limit: NonZeroUsize,
    /// How it is shown; json is the schema of docs/deps.md
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub format: PlanFormat,
    /// Which graph.
    #[command(flatten)]
    pub selection: GraphSelection,
}
