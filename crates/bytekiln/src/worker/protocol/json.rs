//! Requests and responses as JSON (proto3's mapping: camel case, bytes in base64).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Input, Malformed, WorkRequest, WorkResponse};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Request {
    arguments: Vec<String>,
    inputs: Vec<RequestInput>,
    #[serde(alias = "request_id")]
    request_id: i32,
    cancel: bool,
    verbosity: i32,
    #[serde(alias = "sandbox_dir")]
    sandbox_dir: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RequestInput {
    path: String,
    digest: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    exit_code: i32,
    output: &'a str,
    request_id: i32,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    was_cancelled: bool,
}

/// Reads a request. Keys that are not known are passed over, as the protocol asks.
///
/// # Errors
/// No JSON, or of other types.
pub fn parse(line: &[u8]) -> Result<WorkRequest, Malformed> {
    let request: Request = serde_json::from_slice(line).map_err(|error| {
        let value: Option<Value> = serde_json::from_slice(line).ok();
        let id = value.as_ref().and_then(|value| value.get("requestId"));
        let request_id = match &value {
            Some(Value::Object(_)) if id.is_none() => Some(0),
            _ => id.and_then(Value::as_i64).and_then(|id| i32::try_from(id).ok()),
        };
        Malformed { request_id, message: format!("no work request: {error}") }
    })?;
    let wrong = || Malformed {
        request_id: Some(request.request_id),
        message: "no work request: a digest that is no base64".to_owned(),
    };
    let mut inputs = Vec::with_capacity(request.inputs.len());
    for input in request.inputs {
        let digest = from_base64(input.digest.as_bytes()).ok_or_else(wrong)?;
        inputs.push(Input { path: input.path, digest });
    }
    Ok(WorkRequest {
        arguments: request.arguments,
        inputs,
        request_id: request.request_id,
        cancel: request.cancel,
        verbosity: request.verbosity,
        sandbox_dir: request.sandbox_dir,
    })
}

/// A response with its line end.
pub fn render(response: &WorkResponse) -> Vec<u8> {
    let WorkResponse { exit_code, output, request_id, was_cancelled } = response;
    let response = Response {
        exit_code: *exit_code,
        output,
        request_id: *request_id,
        was_cancelled: *was_cancelled,
    };
    // Numbers and a string: it cannot fail, and an empty line is no response.
    let mut line = serde_json::to_vec(&response).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Both alphabets of base64, with or without padding.
fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let (digits, padding) = text.split_at_checked(end)?;
    if padding.len() > 2 || digits.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    for group in digits.chunks(4) {
        let mut bits: u32 = 0;
        for digit in group {
            let value = match digit {
                b'A'..=b'Z' => digit - b'A',
                b'a'..=b'z' => digit - b'a' + 26,
                b'0'..=b'9' => digit - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        bits <<= 6 * (4 - group.len());
        let [_, decoded @ ..] = bits.to_be_bytes();
        bytes.extend_from_slice(decoded.get(..group.len() - 1)?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(line: &str, expect: &Expect) {
        expect.assert_eq(&format!("{:?}", parse(line.as_bytes())));
    }

    #[test]
    fn requests() {
        check(
            r#"{"arguments":["a","b"],"inputs":[{"path":"x.py","digest":"YWI="}],"requestId":7,"verbosity":10,"sandboxDir":"s/1","more":{}}"#,
            &expect![[
                r#"Ok(WorkRequest { arguments: ["a", "b"], inputs: [Input { path: "x.py", digest: [97, 98] }], request_id: 7, cancel: false, verbosity: 10, sandbox_dir: "s/1" })"#
            ]],
        );
        check(
            r#"{"requestId":3,"cancel":true}"#,
            &expect![[
                r#"Ok(WorkRequest { arguments: [], inputs: [], request_id: 3, cancel: true, verbosity: 0, sandbox_dir: "" })"#
            ]],
        );
        check(
            r#"{"requestId":3,"arguments":7}"#,
            &expect![[
                r#"Err(Malformed { request_id: Some(3), message: "no work request: invalid type: integer `7`, expected a sequence at line 1 column 28" })"#
            ]],
        );
        check(
            r#"{"requestId":4,"inputs":[{"digest":"?"}]}"#,
            &expect![[
                r#"Err(Malformed { request_id: Some(4), message: "no work request: a digest that is no base64" })"#
            ]],
        );
        check(
            r#"{"requestId":4294967296}"#,
            &expect![[
                r#"Err(Malformed { request_id: None, message: "no work request: invalid value: integer `4294967296`, expected i32 at line 1 column 23" })"#
            ]],
        );
        check(
            "garbage",
            &expect![[
                r#"Err(Malformed { request_id: None, message: "no work request: expected value at line 1 column 1" })"#
            ]],
        );
    }

    #[test]
    fn base64() {
        for (text, bytes) in [
            ("", Some(&b""[..])),
            ("YQ==", Some(b"a")),
            ("YWJj", Some(b"abc")),
            ("-_8=", Some(b"\xfb\xff")),
            ("+/8=", Some(b"\xfb\xff")),
            ("Y", None),
            ("YQ===", None),
            ("Y=Q", None),
        ] {
            assert_eq!(from_base64(text.as_bytes()).as_deref(), bytes, "{text}");
        }
    }

    #[test]
    fn responses() {
        let response = WorkResponse {
            exit_code: 1,
            output: "a\n\"b\"".to_owned(),
            request_id: 2,
            was_cancelled: false,
        };
        let line = String::from_utf8(render(&response)).unwrap_or_default();
        expect![[r#"
            {"exitCode":1,"output":"a\n\"b\"","requestId":2}
        "#]]
        .assert_eq(&line);
    }
}
