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
/// Under this one those of many actions (`bundle`).
const BUNDLE_TYPE: &str = "type.googleapis.com/bytekiln.ActionResults";

/// Makes keys; what all of them share is made once.
#[derive(Debug)]
pub(crate) struct Keys {
    single: ActionMessage,
    bundle: ActionMessage,
}

impl Keys {
    pub(crate) fn new() -> Keys {
        Keys { single: action(&["compile"], &[OUTPUT]), bundle: action(&["results"], &[]) }
    }

    /// Under which digest a server keeps the result of an action.
    pub(crate) fn key(&self, action: &ActionDigest) -> Digest {
        let message = ActionMessage { salt: action.0.to_vec(), ..self.single.clone() };
        Digest::of(&message.encode_to_vec())
    }

    /// Under which digest a server keeps the results of these actions together.
    pub(crate) fn bundle_key(&self, actions: &[ActionDigest]) -> Digest {
        let salt: Vec<u8> = actions.iter().flat_map(|action| action.0).collect();
        let salt = Digest::of(&salt).hash.to_vec();
        let message = ActionMessage { salt, ..self.bundle.clone() };
        Digest::of(&message.encode_to_vec())
    }
}

fn action(arguments: &[&str], output_paths: &[&str]) -> ActionMessage {
    let command = CommandMessage {
        arguments: ["bytekiln"].iter().chain(arguments).map(|&text| text.to_owned()).collect(),
        output_paths: output_paths.iter().map(|&path| path.to_owned()).collect(),
    };
    // An empty `Directory` message has no bytes.
    let (command, root) = (Digest::of(&command.encode_to_vec()), Digest::of(b""));
    ActionMessage {
        command_digest: Some((&command).into()),
        input_root_digest: Some((&root).into()),
        salt: Vec::new(),
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
    message(output_files, RESULT_TYPE, encode_result(result))
}

/// The bytes of a bundle as a message.
pub(crate) fn bundle_message(bundle: Vec<u8>) -> ActionResultMessage {
    message(Vec::new(), BUNDLE_TYPE, bundle)
}

fn message(
    output_files: Vec<OutputFileMessage>,
    type_url: &str,
    value: Vec<u8>,
) -> ActionResultMessage {
    ActionResultMessage {
        output_files,
        // A rejection is a finished action, not one that failed: it is to be kept.
        exit_code: 0,
        execution_metadata: Some(ExecutedActionMetadata {
            worker: "bytekiln".to_owned(),
            auxiliary_metadata: vec![AnyMessage { type_url: type_url.to_owned(), value }],
        }),
    }
}

/// What a message has of ours.
fn ours<'m>(message: &'m ActionResultMessage, type_url: &str) -> Option<&'m [u8]> {
    let metadata = message.execution_metadata.as_ref()?;
    let ours = metadata.auxiliary_metadata.iter().find(|any| any.type_url == type_url)?;
    Some(&ours.value)
}

/// The bytes of a bundle in a message.
pub(crate) fn bundle_of(message: &ActionResultMessage) -> Option<&[u8]> {
    ours(message, BUNDLE_TYPE)
}

/// The result in a message; `None` if it is not ours, of another version, or contradicts itself.
pub(crate) fn from_message(message: &ActionResultMessage) -> Option<ActionResult> {
    let result = decode_result(ours(message, RESULT_TYPE)?)?;
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
        let key = Keys::new().bundle_key(&[ActionDigest([7; 32]), ActionDigest([8; 32])]);
        expect_test::expect![
            "0291677b03b0ead2ba98a13753f0a4754eac7651370cdac0a81d2b0941775748/172"
        ]
        .assert_eq(&key.to_string());
        assert_ne!(key, Keys::new().bundle_key(&[ActionDigest([8; 32]), ActionDigest([7; 32])]));
    }

    #[test]
    fn a_result_that_contradicts_itself_is_none() {
        let output = Digest::of(b"pyc");
        let result = ActionResult {
            outcome: Outcome::Compiled { output },
            warnings: Vec::new(),
            compile_micros: 3,
        };
        let (good, single) = (to_message(&result), result.clone());
        let decode = |bytes: &[u8]| from_message(&ActionResultMessage::decode(bytes).ok()?);
        assert_eq!(decode(&good.encode_to_vec()), Some(result));
        let mut other = good.clone();
        other.output_files[0].digest = Some((&Digest::of(b"evil")).into());
        let mut none = good.clone();
        none.output_files.clear();
        let mut foreign = good.clone();
        foreign.execution_metadata = None;
        for wrong in [other, none, foreign] {
            assert_eq!(from_message(&wrong), None);
        }
        assert_eq!(decode(b""), None);
        assert_eq!(decode(&good.encode_to_vec()[1..]), None);
        // Neither is taken for the other.
        assert_eq!(bundle_of(&good), None);
        assert_eq!(from_message(&bundle_message(encode_result(&single))), None);
    }
}
