//! Wheels with bytecode.
use super::Packing;
use super::outcome::Packed;
use crate::failure::CommandFailure;
use bytekiln_project::ArtifactRule;
pub(super) fn pack(_packing: &Packing<'_>, _rule: &ArtifactRule) -> Result<Packed, CommandFailure> {
    Err(CommandFailure::usage("wheel"))
}
