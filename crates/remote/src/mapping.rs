//! Our actions and results as the Remote Execution API has them (`docs/remote-cache.md`). Knows no
//! transport.
//!
//! The key of a result is the digest of an `Action` message whose salt is our action digest: every
//! server accepts it, because it is what it says, and who has the action digest can compute it.
//! Nothing needs the message itself, so it is not uploaded.

use bytekiln_action::{ActionDigest, ActionResult, Digest, Outcome};
use bytekiln_cache::{decode_result, encode_result};
use prost::Message as _;

use crate::protocol::{
    ActionMessage, ActionResultMessage, AnyMessage, CommandMessage, DigestMessage,
    ExecutedActionMetadata, OutputFileMessage,
};

/// What the only output is called.
const OUTPUT: &str = "output.pyc";
/// Under this type our own encoding of a result travels in the metadata of its execution.
const RESULT_TYPE: &str = "type.googleapis.com/bytekiln.ActionResult";

/// Makes keys; what all of them share is made once.
#[derive(Debug)]
pub(crate) struct Keys(ActionMessage);

impl Keys {
    pub(crate) fn new() -> Keys {
        let command = CommandMessage {
            arguments: vec!["bytekiln".to_owned(), "compile".to_owned()],
            output_paths: vec![OUTPUT.to_owned()],
        };
        // An empty `Directory` message has no bytes.
        let (command, root) = (Digest::of(&command.encode_to_vec()), Digest::of(b""));
        Keys(ActionMessage {
            command_digest: Some((&command).into()),
            input_root_digest: Some((&root).into()),
            salt: Vec::new(),
        })
    }

    /// Under which digest a server keeps the result of an action.
    pub(crate) fn key(&self, action: &ActionDigest) -> Digest {
        let message = ActionMessage { salt: action.0.to_vec(), ..self.0.clone() };
        Digest::of(&message.encode_to_vec())
    }
}

/// A result as a message.
pub(crate) fn to_message(result: &ActionResult) -> ActionResultMessage {
    let output_files = match &result.outcome {
        Outcome::Compiled { output } => vec![OutputFileMessage {
            path: OUTPUT.to_owned(),
            digest: Some(DigestMessage::from(output)),
        }],
        Outcome::Digested { .. } | Outcome::Rejected { .. } => Vec::new(),
    };
    let ours = AnyMessage { type_url: RESULT_TYPE.to_owned(), value: encode_result(result) };
    ActionResultMessage {
        output_files,
        // A rejection is a finished action, not one that failed: it is to be kept.
        exit_code: 0,
        execution_metadata: Some(ExecutedActionMetadata {
            worker: "bytekiln".to_owned(),
            auxiliary_metadata: vec![ours],
        }),
    }
}

/// The result in a message; `None` if it is not ours, of another version, or contradicts itself.
pub(crate) fn from_message(message: &ActionResultMessage) -> Option<ActionResult> {
    let metadata = message.execution_metadata.as_ref()?;
    let mut ours = metadata.auxiliary_metadata.iter().filter(|any| any.type_url == RESULT_TYPE);
    let result = decode_result(&ours.next()?.value)?;
    let named: Vec<Option<Digest>> = message
        .output_files
        .iter()
        .map(|file| file.digest.as_ref().and_then(DigestMessage::to_digest))
        .collect();
    let agrees = match &result.outcome {
        Outcome::Compiled { output } => named == [Some(*output)],
        Outcome::Digested { .. } | Outcome::Rejected { .. } => named.is_empty(),
    };
    agrees.then_some(result)
}

/// Reads a message from bytes of elsewhere.
pub(crate) fn decode_message(bytes: &[u8]) -> Option<ActionResult> {
    from_message(&ActionResultMessage::decode(bytes).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_digest_of_an_action_message() {
        let key = Keys::new().key(&ActionDigest([7; 32]));
        // Golden: a change makes every remote cache useless.
        expect_test::expect![
            "363dd13b02f871e51a6380d2bdc4eb19daf066372f8ae6c46c10abdc345db212/172"
        ]
        .assert_eq(&key.to_string());
    }

    #[test]
    fn a_result_that_contradicts_itself_is_none() {
        let output = Digest::of(b"pyc");
        let result = ActionResult {
            outcome: Outcome::Compiled { output },
            warnings: Vec::new(),
            compile_micros: 3,
        };
        let good = to_message(&result);
        assert_eq!(decode_message(&good.encode_to_vec()), Some(result));
        let mut other = good.clone();
        other.output_files[0].digest = Some((&Digest::of(b"evil")).into());
        let mut none = good.clone();
        none.output_files.clear();
        let mut foreign = good.clone();
        foreign.execution_metadata = None;
        for wrong in [other, none, foreign] {
            assert_eq!(from_message(&wrong), None);
        }
        assert_eq!(decode_message(b""), None);
        assert_eq!(decode_message(&good.encode_to_vec()[1..]), None);
    }
}
