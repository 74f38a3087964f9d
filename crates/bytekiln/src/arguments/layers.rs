//! What `layers` takes.

use clap::Args;

use super::{GraphSelection, PlanFormat};

/// `layers`.
#[derive(Debug, Args)]
#[command(after_help = "A contract stands in the manifest (docs/manifest.md):\n\n  \
    [[graph.contract]]\n  \
    name = \"layers of the shop\"\n  \
    layers = [\"shop.web\", \"shop.cart | shop.mail\", \"member:core\"]\n\n\
    Exit status: 0 all are kept; 1 one is broken; 2 there are none, or the manifest is wrong.")]
pub struct LayersArguments {
    /// Only the contract of this name (repeatable)
    #[arg(long = "contract", value_name = "NAME", help_heading = "Selection")]
    pub contracts: Vec<String>,
    /// Members may import only members that their pyproject.toml declares as dependencies
    #[arg(long, help_heading = "Selection")]
    pub declared: bool,
    /// How the outcome is shown
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Output")]
    pub format: PlanFormat,
    /// Which graph.
    #[command(flatten)]
    pub selection: GraphSelection,
}
