//! One member of an artifact, read in parts. Knows nothing of how its container is laid out.

use std::fs::File;
use std::io::{ErrorKind, Read as _};

use crate::error::Fault;
use crate::{Artifact, ArtifactError, tar, zip};

/// Gives a member's bytes from the first to the last.
pub(crate) struct MemberReader<'a> {
    artifact: &'a Artifact,
    index: usize,
    stream: Stream<'a>,
}

/// Where they come from.
pub(crate) enum Stream<'a> {
    File(File),
    Range(tar::At<'a>),
    Zip(Box<zip::Stream<'a>>),
}

impl<'a> MemberReader<'a> {
    pub(crate) fn new(
        artifact: &'a Artifact,
        index: usize,
        stream: Stream<'a>,
    ) -> MemberReader<'a> {
        MemberReader { artifact, index, stream }
    }

    /// As [`std::io::Read::read`].
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ArtifactError> {
        loop {
            let read = match &mut self.stream {
                Stream::File(file) => file.read(buffer).map_err(Fault::Io),
                Stream::Range(range) => range.read(buffer).map_err(Fault::Io),
                Stream::Zip(stream) => stream.read(buffer),
            };
            match read {
                Err(Fault::Io(error)) if error.kind() == ErrorKind::Interrupted => {}
                Err(fault) => {
                    return Err(fault.at(self.artifact.path(), self.artifact.name(self.index)));
                }
                Ok(count) => return Ok(count),
            }
        }
    }
}
