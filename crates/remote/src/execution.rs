//! `Execute` and `WaitExecution`: one action from its digest to its result, over as many streams as
//! it takes. Knows nothing of deadlines: whoever calls bounds the time.

use std::sync::{Mutex, PoisonError};

use bytekiln_action::Digest;
use http::uri::PathAndQuery;
use prost::Message as _;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::attempt::{Trouble, with_retries};
use crate::execution_protocol::{
    CancelOperationRequest, ExecuteRequest, ExecuteResponse, Nothing, OperationMessage,
    WaitExecutionRequest,
};
use crate::grpc::{GrpcCache, said, shortened, trouble};
use crate::protocol::SHA256;

const EXECUTE: &str = "/build.bazel.remote.execution.v2.Execution/Execute";
/// `google/longrunning/operations.proto`.
const CANCEL: &str = "/google.longrunning.Operations/CancelOperation";
const WAIT: &str = "/build.bazel.remote.execution.v2.Execution/WaitExecution";

/// What an operation that is done has in it.
const RESPONSE: &str = "build.bazel.remote.execution.v2.ExecuteResponse";

/// So often is a stream taken up again that broke off without an end.
const WAITS: u32 = 4;

/// The name of the operation that is under way, once the server has told it.
#[derive(Default)]
pub(crate) struct Running(Mutex<Option<String>>);

impl Running {
    fn is(&self, name: Option<&str>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = name.map(str::to_owned);
    }

    /// Its name, if nobody waits for it any more.
    pub(crate) fn left(self) -> Option<String> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How an execution ended, if the server has worked as it should.
pub(crate) enum Execution {
    /// It ran, or its result was known.
    Ended(ExecuteResponse),
    /// Inputs are missing on the server: it may have forgotten them meanwhile.
    InputsMissing(String),
}

/// What one stream came to.
enum Streamed {
    Done(OperationMessage),
    /// It broke off; by this name it can be asked for again.
    Broken(Option<String>, Trouble),
}

impl GrpcCache {
    /// Executes an action whose inputs were uploaded.
    pub(crate) async fn execute(
        &self,
        action: &Digest,
        inline: &[String],
        running: &Running,
    ) -> Result<Execution, Trouble> {
        let request = ExecuteRequest {
            instance_name: self.instance.clone(),
            skip_cache_lookup: false,
            action_digest: Some(action.into()),
            digest_function: SHA256,
            inline_stderr: true,
            inline_output_files: inline.to_vec(),
        };
        with_retries(async || {
            let mut streamed = self.stream_operations(EXECUTE, &request, running).await?;
            let mut waits = 0;
            loop {
                match streamed {
                    Ok(Streamed::Done(operation)) => return ended(operation),
                    Err(status) if status.code() == Code::FailedPrecondition => {
                        return Ok(Execution::InputsMissing(said_by(&status)));
                    }
                    Err(status) => return Err(trouble(&status)),
                    Ok(Streamed::Broken(Some(name), why)) if waits < WAITS => {
                        waits += 1;
                        pause_before_wait(waits).await;
                        let wait = WaitExecutionRequest { name };
                        streamed = match self.stream_operations(WAIT, &wait, running).await? {
                            // It knows no such operation any more: executed again it is.
                            Err(status) if status.code() == Code::NotFound => {
                                return Err(Trouble::Passing(match why {
                                    Trouble::Passing(why)
                                    | Trouble::Exhausted(why)
                                    | Trouble::Lasting(why) => why,
                                }));
                            }
                            other => other,
                        };
                    }
                    Ok(Streamed::Broken(_, why)) => return Err(why),
                }
            }
        })
        .await
    }

    /// Says that nobody waits for an operation any more. It may run to its end all the same.
    pub(crate) async fn cancel(&self, name: String) {
        let request = CancelOperationRequest { name };
        // Many servers do not know how to; then there is nothing to be done.
        let _ = self.unary::<_, Nothing>(CANCEL, &request).await;
    }

    /// Reads a stream of operations to its end. The inner error is the server's own status before
    /// anything came.
    async fn stream_operations<Q>(
        &self,
        method: &'static str,
        request: &Q,
        running: &Running,
    ) -> Result<Result<Streamed, Status>, Trouble>
    where
        Q: prost::Message + Clone + 'static,
    {
        let codec = ProstCodec::<Q, OperationMessage>::default();
        let path = PathAndQuery::from_static(method);
        let request = Request::new(request.clone());
        let mut stream = match self.client().server_streaming(request, path, codec).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => return Ok(Err(status)),
        };
        let mut name = None;
        loop {
            match stream.message().await {
                Ok(Some(operation)) if operation.done => {
                    running.is(None);
                    return Ok(Ok(Streamed::Done(operation)));
                }
                Ok(Some(operation)) => {
                    name = Some(operation.name).filter(|name| !name.is_empty()).or(name);
                    running.is(name.as_deref());
                }
                Ok(None) => {
                    let why = "it ended the stream before the action was done".to_owned();
                    return Ok(Ok(Streamed::Broken(name, Trouble::Passing(why))));
                }
                Err(status) => match (name, trouble(&status)) {
                    (None, _) => return Ok(Err(status)),
                    // Found out late: it has ended, and can be had again with its inputs.
                    (Some(_), _) if status.code() == Code::FailedPrecondition => {
                        running.is(None);
                        return Ok(Err(status));
                    }
                    (Some(_), lasting @ Trouble::Lasting(_)) => return Err(lasting),
                    (name, why) => return Ok(Ok(Streamed::Broken(name, why))),
                },
            }
        }
    }
}

/// Before a stream is taken up again: a server that ends each at once is not to be asked at once.
async fn pause_before_wait(wait: u32) {
    tokio::time::sleep(std::time::Duration::from_millis(50) * 2_u32.pow(wait)).await;
}

fn ended(operation: OperationMessage) -> Result<Execution, Trouble> {
    let status = match (&operation.error, &operation.response) {
        (Some(error), _) => Some(error.clone()),
        (None, None) => {
            return Err(Trouble::Lasting("it is done and has neither result nor error".into()));
        }
        (None, Some(_)) => None,
    };
    let mut response = ExecuteResponse::default();
    if let (None, Some(any)) = (&status, &operation.response) {
        if any.type_url.rsplit('/').next() != Some(RESPONSE) {
            let kind = shortened(&any.type_url);
            return Err(Trouble::Lasting(format!("its answer is of another type: `{kind}`")));
        }
        response = ExecuteResponse::decode(any.value.as_slice())
            .map_err(|error| Trouble::Lasting(format!("its answer cannot be read: {error}")))?;
    }
    let status = status.or_else(|| response.status.clone()).filter(|status| status.code != 0);
    let Some(status) = status else {
        if response.result.is_none() {
            return Err(Trouble::Lasting("it says nothing of a result".into()));
        }
        return Ok(Execution::Ended(response));
    };
    match Code::from_i32(status.code) {
        Code::FailedPrecondition => Ok(Execution::InputsMissing(said(&status))),
        _ => Err(trouble(&Status::new(Code::from_i32(status.code), status.message))),
    }
}

fn said_by(status: &Status) -> String {
    match trouble(status) {
        Trouble::Passing(why) | Trouble::Exhausted(why) | Trouble::Lasting(why) => why,
    }
}
